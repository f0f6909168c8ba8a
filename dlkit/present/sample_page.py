"""A run's samples as one page that needs nothing else: the steps on a slider, played by a key."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence

import numpy as np

from dlkit.present.confusion import lines
from dlkit.present.differences import compared
from dlkit.present.frames import WIDTH, drawn
from dlkit.present.numbers import grouped, number
from dlkit.present.plane import OWN
from dlkit.present.shades import shades
from dlkit.present.shares import barred
from dlkit.samples import ConfusionMatrix, Pairs, Sample, Shaded, Table, Text
from dlkit.steering import without_steering

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 1rem auto; padding: 0 1rem; }}
form {{ position: sticky; top: 0; padding: .5rem 0; display: flex; gap: .75rem; align-items: center;
  flex-wrap: wrap; background: Canvas; }}
input[type=range] {{ flex: 1; min-width: 12rem; }}
output {{ min-width: 12rem; font-variant-numeric: tabular-nums; }}
img {{ max-width: 100%; image-rendering: pixelated; }}
pre {{ white-space: pre-wrap; border-left: 4px solid #3c82dc; padding-left: .75rem; }}
pre.matrix {{ white-space: pre; overflow-x: auto; border: 0; line-height: 1.3; }}
pre.given {{ color: GrayText; border-color: GrayText; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .2rem .75rem; border-bottom: 1px solid #8884; text-align: left; vertical-align: top; }}
td.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
mark {{ color: #000; }}
</style>
</head>
<body>
<h1>{title}</h1>
<form hidden>
<button type="button">Play</button>
<select aria-label="sample"></select>
<input type="range" min="0" value="0" aria-label="step">
<output></output>
</form>
{sections}
<script>
const all = [...document.querySelectorAll("section")];
const form = document.forms[0], [play, choice, slider] = form.elements, told = form.querySelector("output");
form.hidden = false;
for (const name of new Set(all.map((one) => one.dataset.name))) choice.add(new Option(name));
let timer = 0;
function show() {{
  const those = all.filter((one) => one.dataset.name === choice.value);
  slider.max = those.length - 1;
  const at = Math.min(Number(slider.value), those.length - 1);
  for (const one of all) one.hidden = one !== those[at];
  told.textContent = `${{those[at].dataset.step}} · ${{at + 1}} of ${{those.length}}`;
}}
function stop() {{
  clearInterval(timer);
  timer = 0;
  play.textContent = "Play";
}}
function next() {{
  if (Number(slider.value) >= Number(slider.max)) return stop();
  slider.value = Number(slider.value) + 1;
  show();
}}
function toggle() {{
  if (timer) return stop();
  if (slider.value === slider.max) slider.value = 0;
  show();
  timer = setInterval(next, 250);
  play.textContent = "Pause";
}}
play.addEventListener("click", toggle);
choice.addEventListener("change", show);
slider.addEventListener("input", show);
addEventListener("keydown", (event) => {{
  if (event.key === " " && event.target === document.body) {{ event.preventDefault(); toggle(); }}
  const by = {{ ArrowLeft: -1, ArrowRight: 1 }}[event.key];
  if (by && event.target === document.body) {{ slider.value = Number(slider.value) + by; show(); }}
}});
slider.value = all.length;
show();
</script>
</body>
</html>
"""


def page(title: str, sections: Iterable[str]) -> str:
    """HTML of what ``section`` made, in the order of steps. Without scripts, all below one another."""
    return _PAGE.format(title=html_text(title), sections="\n".join(sections))


def section(step: int, name: str, sample: Sample) -> str:
    """One sample of a page."""
    told = f"step {grouped(step)}"
    head = f"<h2>{html_text(sample.title or name)}</h2>\n<p>{told}</p>"
    return f'<section data-name="{html_text(name)}" data-step="{told}">\n{head}\n{body(sample)}\n</section>'


def body(sample: Sample, width: int = WIDTH) -> str:
    """HTML of what a sample shows, without its name; a picture is at most ``width`` pixels across."""
    match sample:
        case Text():
            given = f'<pre class="given">{html_text(sample.prompt)}</pre>\n' if sample.prompt else ""
            return f"{given}<pre>{html_text(sample.text)}</pre>"
        case Shaded():
            return _shaded(sample)
        case ConfusionMatrix():
            return _confusion(sample)
        case Pairs() if sample.compared:
            return _pairs(sample)
        case Table() | Pairs():
            return _table(sample.headers, barred(sample))
    file = io.BytesIO()
    drawn(sample, width).save(file, "PNG")  # optimised: 4 % smaller, and 8 times as long
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def _shaded(sample: Shaded) -> str:
    parts = []
    for shade in shades([*map(str, sample.pieces)], sample.values, (sample.limits[0], sample.limits[1])):
        on = shade.background
        text = html_text(shade.text)
        colour = "" if on is None else "#{:02x}{:02x}{:02x}".format(*on)
        parts.append(f'<mark style="background:{colour}" title="{shade.value:.4g}">{text}</mark>' if colour else text)
    scale = f"from {number(sample.limits[0])} to {number(sample.limits[1])} {sample.unit}"
    return f"<pre>{''.join(parts)}</pre>\n<p>{html_text(scale)}</p>"


def _confusion(sample: ConfusionMatrix) -> str:
    parts = []
    for line in lines(sample):
        for text, _, paper in line:
            parts.append(
                html_text(text) if paper == OWN else f'<mark style="background:#{paper:06x}">{html_text(text)}</mark>'
            )
        parts.append("\n")
    return f'<pre class="matrix">{"".join(parts)}</pre>'


def _pairs(sample: Pairs) -> str:
    one, other = sample.compared
    rows = []
    for row in sample.rows:
        cells = [html_text(str(cell)) for cell in row]
        for place, parts in zip((one, other), compared(str(row[one]), str(row[other])), strict=True):
            cells[place] = "".join(
                f"<mark>{html_text(word)}</mark>" if differs else html_text(word) for word, differs in parts
            )
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    head = "".join(f"<th>{html_text(header)}</th>" for header in sample.headers)
    return "\n".join([f"<table>\n<tr>{head}</tr>", *rows, "</table>"])


def _table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f"<th>{html_text(header)}</th>" for header in headers)
    body = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


def _cell(value: object) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, (int, float)):
        return f'<td class="number">{number(plain) if isinstance(plain, float) else plain}</td>'
    return f"<td>{html_text(str(plain))}</td>"


def html_text(text: str) -> str:
    """Anybody's text, fit for an element or an attribute in quotes."""
    return html.escape(without_steering(text))
