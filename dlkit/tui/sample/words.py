"""Samples that are words and numbers: text, pairs of text, tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich import box
from rich.color import Color
from rich.style import Style
from rich.table import Table as Grid
from rich.text import Text as Words
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

from dlkit.present.differences import compared
from dlkit.present.numbers import number
from dlkit.present.shades import BLACK, shades
from dlkit.present.shares import barred
from dlkit.present.text import clean
from dlkit.samples import Pairs, Shaded, Table, Text

MOST_ROWS = 200
MOST_CHARACTERS = 20_000


def text(sample: Text, room: Size) -> list[Widget]:
    """What was given and what the model wrote, each under its name and beside its own line."""
    written = Static(Words(_cut(sample.text)), classes="written")
    if not sample.prompt:
        return [written]
    given = Static(Words(_cut(sample.prompt)), classes="given")
    return [Static("given", classes="head"), given, Static("written by the model", classes="head"), written]


def shaded(sample: Shaded, colour: bool) -> list[Widget]:
    """Pieces on their colours, and the scale below; without colours, numbers where they stand out."""
    words, length = Words(), 0
    for shade in shades([clean(piece) for piece in sample.pieces], sample.values, (sample.limits[0], sample.limits[1])):
        on = shade.background
        if on is None or not colour:
            words.append(shade.marked)
        else:
            style = Style(color=Color.from_rgb(*BLACK), bgcolor=Color.from_rgb(*on))
            words.append(shade.text.replace("\n", "↵"), style)
            words.append("\n" * shade.text.count("\n"))
        length += len(shade.text)
        if length > MOST_CHARACTERS:
            words.append(" …")
            break
    scale = f"from {number(sample.limits[0])} to {number(sample.limits[1])} {clean(sample.unit)}"
    return [Static(words), Static(Words(scale), classes="head")]


def pairs(sample: Pairs, room: Size) -> list[Widget]:
    """Aligned columns whose cells wrap, a rule between two rows."""
    grid = Grid(box=box.SIMPLE_HEAD, expand=True, show_edge=False, pad_edge=False, show_lines=True)
    for header in sample.headers:
        grid.add_column(clean(header), ratio=1, overflow="fold")
    for row in sample.rows[:MOST_ROWS]:
        grid.add_row(*_marked([clean(str(cell)) for cell in _as_wide(row, len(sample.headers))], sample.compared))
    shown = Static(grid)
    shown.styles.width = room.width
    return [shown, *_left_out(len(sample.rows))]


def _marked(cells: Sequence[str], places: Sequence[int]) -> list[Words]:
    """Of two that are compared, the words that the other lacks underlined, which is seen without colours too."""
    made = [Words(cell) for cell in cells]
    if len(places) == 2:
        for place, parts in zip(places, compared(cells[places[0]], cells[places[1]]), strict=True):
            made[place] = Words.assemble(*((part, "bold underline" if differs else "") for part, differs in parts))
    return made


def table(sample: Table, room: Size) -> list[Widget]:
    """Columns as wide as they need; numbers to the right. One wider than the room is scrolled sideways."""
    if not sample.rows:
        return [Static(Words("  ".join(map(clean, sample.headers)) + "\nno rows"))]
    rows = [_as_wide(row, len(sample.headers)) for row in barred(sample)[:MOST_ROWS]]
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for place, header in enumerate(sample.headers):
        numbers = all(isinstance(row[place], (int, float)) for row in rows)
        grid.add_column(clean(header), justify="right" if numbers else "left", no_wrap=True)
    for row in rows:
        grid.add_row(*[Words(_cell(cell)) for cell in row])
    shown = Static(grid)
    shown.styles.width = max(room.width, _width(grid))
    return [shown, *_left_out(len(sample.rows))]


def _width(grid: Grid) -> int:
    from rich.console import Console

    return Console(width=10_000).measure(grid).maximum


def _as_wide(row: Sequence[object], columns: int) -> list[object]:
    """Exactly as many cells as there are columns."""
    return [*row, *[""] * columns][:columns]


def _cell(value: object) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    return number(plain) if isinstance(plain, float) else clean(str(plain)).replace("\n", " ")


def _cut(given: str) -> str:
    shown = clean(given)
    return shown if len(shown) <= MOST_CHARACTERS else f"{shown[:MOST_CHARACTERS]} …"


def _left_out(count: int) -> list[Widget]:
    return [Static(f"… and {count - MOST_ROWS} more rows")] if count > MOST_ROWS else []
