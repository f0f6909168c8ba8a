"""A report as Markdown for a repository, with its pictures as files beside it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence

from dlkit.errors import in_words
from dlkit.monitor.sample_export import spread
from dlkit.present.frames import drawn
from dlkit.present.numbers import counted
from dlkit.present.parallel import Ways
from dlkit.present.samples import render
from dlkit.present.table import markdown_table
from dlkit.report.blocks import Block, Charts, Document, Facts, Film, Grid, Listing, Words
from dlkit.report.drawing import description, svg
from dlkit.report.page import cell_text
from dlkit.report.ways import ways_svg
from dlkit.samples import ConfusionMatrix, Pairs, Sample, Shaded, Table, Text
from dlkit.steering import one_line, without_steering

SHOTS = 3
"""Of a sample through the training: the first, the middle, the last."""
_WORDS = (Text, Table, Pairs, Shaded, ConfusionMatrix)
"""Kinds that are text, and stay so."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|&!~])")


class Markdown:
    """``text`` of a document, and its pictures in ``files``: bytes by name, in the folder ``folder`` beside it."""

    def __init__(self, document: Document, folder: str) -> None:
        self.files: dict[str, bytes] = {}
        self._folder = folder
        parts = [f"# {escaped(document.title)}", "\n".join(self._lead(document.lead))]
        for part in document.parts:
            parts += [f"## {escaped(part.title)}", *(text for block in part.blocks for text in self._block(block))]
        self.text = "\n\n".join([*parts, f"*{escaped(document.made)}*"]) + "\n"

    def _lead(self, lines: Sequence[str]) -> Iterator[str]:
        for line in lines:
            head, found, command = line.partition("next: ")
            yield f"- next: {_code(command)}" if found and not head else f"- {escaped(line)}"

    def _block(self, block: Block) -> Iterator[str]:
        match block:
            case Words():
                yield escaped(block.text)
            case Facts():
                yield "\n".join(f"- {escaped(name)}: {escaped(text)}" for name, text in block.told.items())
            case Listing():
                yield _fenced(block.text, "sh" if block.text.startswith("dlkit") else "")
            case Grid():
                yield from _folded(_table(block), block.folded)
            case Charts():
                yield from _folded("\n\n".join(self._charts(block)), block.folded)
            case Ways():
                name = self._keep("ways", "svg", ways_svg(block, alone=True).encode())
                yield f"![{escaped(block.title)}]({name})"
            case Film():
                yield from self._film(block)

    def _charts(self, block: Charts) -> Iterator[str]:
        for chart in block.charts:
            name = self._keep(chart.title, "svg", svg(chart, alone=True).encode())
            yield f"![{escaped(description(chart))}]({name})"

    def _film(self, film: Film) -> Iterator[str]:
        yield f"### {escaped(film.title)}"
        for place in spread(len(film.shots), SHOTS):
            shot = film.shots[place]
            try:
                shown = self._sample(shot.load(), film, shot.step)
            # A run's folder may hold anything, so that anything may come of it; the other samples can still be shown.
            except Exception as error:
                shown = f"cannot be shown: {escaped(in_words(error))}"
            yield f"step {shot.step}\n\n{shown}"

    def _sample(self, sample: Sample, film: Film, step: int) -> str:
        if isinstance(sample, _WORDS):
            return _fenced(render(sample, colour=False, width=100).partition("\n")[2])
        file = io.BytesIO()
        drawn(sample, 720).save(file, "PNG", optimize=True)
        name = self._keep(f"{film.name}-{step:08d}", "png", file.getvalue())
        return f"![{escaped(f'{film.title}, step {step}')}]({name})"

    def _keep(self, called: str, suffix: str, data: bytes) -> str:
        """Keep a picture under a name of its own; what the text calls it."""
        stem = re.sub(r"[^A-Za-z0-9.-]+", "_", called).strip("._")[:60] or "picture"
        taken = sum(name == f"{stem}.{suffix}" or name.startswith(f"{stem}~") for name in self.files)
        name = f"{stem}~{taken + 1}.{suffix}" if taken else f"{stem}.{suffix}"
        self.files[name] = data
        return f"{self._folder}/{name}".replace(" ", "%20").replace("(", "%28").replace(")", "%29")


def escaped(text: str) -> str:
    """Anybody's text as nothing but text, on one line."""
    found = _SPECIAL.sub(r"\\\1", one_line(text))
    return re.sub(r"^(\s*)([-+=>]|\d+[.)])(?=\s|$)", r"\1\\\2", found)


def _code(text: str) -> str:
    ticks = _fence(text, 1)
    return f"{ticks}{one_line(text)}{ticks}"


def _fenced(text: str, language: str = "") -> str:
    ticks = _fence(text, 3)
    return f"{ticks}{language}\n{without_steering(text)}\n{ticks}"


def _fence(text: str, least: int) -> str:
    """More ticks than the text has in a row: it cannot end what it stands in."""
    return "`" * max([least, *(len(run) + 1 for run in re.findall(r"`+", text))])


def _folded(inside: str, title: str) -> Iterator[str]:
    yield f"<details><summary>{escaped(title)}</summary>\n\n{inside}\n\n</details>" if title else inside


def _table(grid: Grid) -> str:
    if not grid.rows:
        return counted(0, "row")
    cells = [
        [f"**{text}**" if (y, x) in grid.strong and text else text for x, text in enumerate(map(_cell, row))]
        for y, row in enumerate(grid.rows)
    ]
    return markdown_table([escaped(header) or " " for header in grid.headers], cells)


def _cell(value: object) -> str:
    """``markdown_table`` itself takes care of the bars between cells."""
    return escaped(cell_text(value)).replace("\\|", "|")
