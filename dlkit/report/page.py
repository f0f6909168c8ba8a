"""A report as one page that needs nothing else: no network, and without scripts still all but the sliders."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from dlkit.present.graphs import COLOURS
from dlkit.present.numbers import grouped, number
from dlkit.present.parallel import Ways
from dlkit.present.sample_page import html_text
from dlkit.report.blocks import Block, Chart, Charts, Document, Facts, Film, Floats, Grid, Line, Listing, Part, Words
from dlkit.report.drawing import description, svg
from dlkit.report.film import developed
from dlkit.report.thinning import thinned
from dlkit.report.ways import ways_svg
from dlkit.steering import one_line

LARGEST = 3_000_000
"""Bytes of a page: what can be sent by mail."""
_FOR_SAMPLES, _FOR_CURVES = 1_800_000, 800_000
COLUMNS = 1500
"""Of a longer curve so many parts are kept, each with its extremes; of very many curves fewer, down to ``_FEWEST``."""
_FEWEST = 60
_POINT = 28
"""Bytes that a point takes, about."""
_HERE = Path(__file__).parent


def page(document: Document) -> str:
    """HTML."""
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    style = f"{(_HERE / 'page.css').read_text(encoding='utf-8')}{_colours()}"
    rooms = _Rooms(document)
    parts = "\n".join(_part(part, place, rooms) for place, part in enumerate(document.parts))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'">
<title>{html_text(document.title)}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{html_text(document.title)}</h1>
{"".join(_lead(document.lead))}
{_contents(document.parts)}
</header>
<main>
{parts}
</main>
<footer>{html_text(document.made)}</footer>
<script>{script}</script>
</body>
</html>
"""


def _hash(script: str) -> str:
    """Only this script runs, whatever the texts of a run may hold."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _colours() -> str:
    light = "".join(f"--c{i}:#{r:02x}{g:02x}{b:02x};" for i, (r, g, b) in enumerate(COLOURS))
    dark = "".join(f"--c{i}:{_lighter(colour)};" for i, colour in enumerate(COLOURS))
    lines = "".join(
        f".line.c{i}{{stroke:var(--c{i})}}:not(.line).c{i}{{fill:var(--c{i})}}.key.c{i}::before{{background:var(--c{i})}}\n"
        for i in range(len(COLOURS))
    )
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme: dark) {{:root{{{dark}}}}}\n{lines}"


def _lighter(colour: tuple[int, int, int]) -> str:
    """As bright as a dark page needs: black becomes light grey."""
    share = 0.35 if max(colour) > 50 else 0.85
    return "#{:02x}{:02x}{:02x}".format(*(round(part + (255 - part) * share) for part in colour))


class _Rooms:
    """How much of the page a film, and a curve, may take."""

    def __init__(self, document: Document) -> None:
        blocks = [block for part in document.parts for block in part.blocks]
        films = sum(isinstance(block, Film) for block in blocks)
        lines = sum(
            1 + 2 * bool(len(line.low))
            for block in blocks if isinstance(block, Charts) for chart in block.charts for line in chart.lines
        )  # fmt: skip
        self.film = _FOR_SAMPLES // max(1, films)
        self.columns = max(_FEWEST, min(COLUMNS, _FOR_CURVES // (4 * _POINT * max(1, lines))))


def _lead(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        head, found, command = line.partition("next: ")
        if found and not head:
            yield f'<p class="next">next: <code>{html_text(command)}</code></p>\n'
        else:
            yield f"<p>{html_text(line)}</p>\n"


def _contents(parts: Sequence[Part]) -> str:
    links = "".join(f'<a href="#part-{place}">{html_text(part.title)}</a>' for place, part in enumerate(parts))
    return f'<nav aria-label="contents">{links}</nav>'


def _part(part: Part, place: int, rooms: _Rooms) -> str:
    blocks = "\n".join(_block(block, rooms) for block in part.blocks)
    return f'<section id="part-{place}">\n<h2>{html_text(part.title)}</h2>\n{blocks}\n</section>'


def _block(block: Block, rooms: _Rooms) -> str:
    match block:
        case Words():
            return f'<p class="quiet">{html_text(block.text)}</p>' if block.quiet else f"<p>{html_text(block.text)}</p>"
        case Facts():
            rows = (f"<tr><th>{html_text(n)}</th><td>{html_text(t)}</td></tr>" for n, t in block.told.items())
            return f'<div class="wide"><table class="facts">{"".join(rows)}</table></div>'
        case Listing():
            return f'<pre class="listing">{html_text(block.text)}</pre>'
        case Grid():
            return _folded(_grid(block), block.folded)
        case Charts():
            charts = "\n".join(_chart(chart, rooms.columns) for chart in block.charts)
            return _folded(f'<div class="charts">{charts}</div>', block.folded)
        case Ways():
            return f'<figure class="ways">\n{ways_svg(block)}\n</figure>\n<p class="quiet">{html_text(block.title)}</p>'
        case Film():
            return _film(block, rooms.film)


def _folded(inside: str, title: str) -> str:
    return f"<details><summary>{html_text(title)}</summary>\n{inside}\n</details>" if title else inside


def _grid(grid: Grid) -> str:
    right = [
        bool(grid.rows) and all(isinstance(row[i], (int, float, type(None))) for row in grid.rows)
        for i in range(len(grid.headers))
    ]
    head = "".join(f"<th{_side(r)}>{html_text(h)}</th>" for h, r in zip(grid.headers, right, strict=True))
    body = []
    for y, row in enumerate(grid.rows):
        cells = (_cell(cell, (y, x) in grid.strong, right[x]) for x, cell in enumerate(row))
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def _side(right: bool) -> str:
    return ' class="number"' if right else ""


def _cell(value: object, strong: bool, right: bool) -> str:
    told = html_text(cell_text(value))
    return f"<td{_side(right)}>{f'<strong>{told}</strong>' if strong else told}</td>"


def cell_text(value: object) -> str:
    """A cell as people read it."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return grouped(value)
    return number(value) if isinstance(value, float) else str(value)


def _chart(chart: Chart, columns: int) -> str:
    keys = "".join(
        f'<button type="button" class="key c{i % len(COLOURS)}" aria-pressed="true">{html_text(line.name)}</button>'
        for i, line in enumerate(chart.lines)
    )
    held = json.dumps(_data(chart, columns), allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    held = held.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return (
        f'<figure class="chart" aria-label="{html_text(description(chart))}">\n'
        f"<figcaption><b>{html_text(chart.title)}</b>{keys}</figcaption>\n"
        f'<div class="plot">{svg(chart)}</div>\n<script type="application/json">{held}</script>\n</figure>'
    )


def _data(chart: Chart, columns: int) -> dict[str, object]:
    return {
        "title": one_line(chart.title),
        "x": one_line(chart.x_label),
        "log": chart.log,
        "moments": [[moment.step, one_line(moment.text)] for moment in chart.moments],
        "lines": [_line(line, columns) for line in chart.lines],
    }


def _line(line: Line, columns: int) -> dict[str, object]:
    kept = thinned(line.x, line.y, columns)
    found: dict[str, object] = {
        "name": one_line(line.name),
        "points": len(line.x),
        "x": _numbers(np.asarray(line.x, np.float64)[kept]),
        "y": _numbers(line.y[kept]),
    }
    if line.epoch_steps:
        found["epoch"] = line.epoch_steps
    if len(line.clock.steps):
        found["seconds"] = _numbers(np.round(line.seconds[kept], 2))
    if len(line.low):
        found |= {"low": _numbers(line.low[kept]), "high": _numbers(line.high[kept])}
    return found


def _numbers(values: Floats) -> list[int | float | str]:
    """Six digits are more than anybody sees; what is not finite is text."""
    return [_number(value) for value in values.tolist()]


def _number(value: float) -> int | float | str:
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value.is_integer() and abs(value) < 1e15:
        return int(value)
    return float(f"{value:.6g}")


def _film(film: Film, room: int) -> str:
    found = developed(film, room)
    last = len(found.shots) - 1
    shots = "\n".join(
        f'<div class="shot" data-step="step {grouped(step)}"{"" if place == last else " hidden"}>{html}</div>'
        for place, (step, html) in enumerate(found.shots)
    )
    told = f"step {grouped(found.shots[-1][0])}" if found.shots else "none of its samples can be read"
    notes = "".join(f'<p class="quiet">{html_text(note)}</p>' for note in found.notes)
    controls = (
        f'<div class="controls" hidden><button type="button">Play</button><input type="range" min="0" max="{last}" '
        f'value="{last}" aria-label="step of {html_text(film.name)}"></div>'
        if last > 0 else ""
    )  # fmt: skip
    head = f"<figcaption><b>{html_text(film.title)}</b> <output>{told}</output></figcaption>"
    return f'<figure class="film">\n{head}\n{controls}\n{shots}\n{notes}</figure>'
