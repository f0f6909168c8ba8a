"""Curves and scatters as characters, with numbers on their axes.

One line, or a colour terminal: braille, 2×4 points a character. Several lines without colour: a mark of its own each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dlkit.present.numbers import number

Floats = npt.NDArray[np.float64]

MARKS = "*o+x#@%&"
COLOURS = (36, 33, 35, 32, 34, 31)
HEIGHT = 12
_APART = 10
"""Columns from one mark of a line to its next."""
_DOT = "·"
FIRST_BRAILLE = 0x2800
DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bit of each of a braille character's points, by row and column."""


def curve(
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    labels: tuple[str, str],
    *,
    colour: bool,
    width: int,
    height: int = HEIGHT,
    marked: bool = False,
) -> str:
    """Lines over a common x; no spike is hidden, however many points share a column.

    ``height`` is the lines of the plot itself; ``marked``: several lines in colour bear a mark here and there, too.
    """
    xs = np.asarray(x, np.float64)
    series = {name: _finite(xs, np.asarray(y, np.float64)) for name, y in lines.items()}
    look = _Look(colour, width, height, marked and colour and len(series) > 1)
    return _plot(series, labels, look, joined=True)


def scatter(
    x: Sequence[float],
    y: Sequence[float],
    names: Sequence[str],
    labels: tuple[str, str],
    *,
    colour: bool,
    width: int,
    height: int = HEIGHT,
    marked: bool = False,
) -> str:
    """Points; those of one name share a mark and a colour, where there are few names. Of many names, points are written
    as their names, the first ones first, as far as there is room; the others are dots.

    ``marked``: the mark is seen in colour, too.
    """
    xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
    look = _Look(colour, width, height, False)
    distinct = list(dict.fromkeys(names))
    if len(distinct) > len(MARKS):
        return _written(xs, ys, names, labels, look)
    if not distinct:
        return _plot({"": _finite(xs, ys)}, labels, look, joined=False)
    chosen = np.asarray(names)
    series = {name: _finite(xs[chosen == name], ys[chosen == name]) for name in distinct}
    return _plot(series, labels, look._replace(marked=marked and colour and len(series) > 1), joined=False)


def _written(x: Floats, y: Floats, names: Sequence[str], labels: tuple[str, str], look: _Look) -> str:
    """Names in the place of points."""
    kept = np.isfinite(x) & np.isfinite(y)
    if not kept.any():
        return "(no finite values)"
    x, y, names = x[kept], y[kept], [name for name, there in zip(names, kept.tolist(), strict=True) if there]
    x_range, y_range = _range(x), _range(y)
    margin, columns = margins(y_range, look.width)
    grid = [[" "] * columns for _ in range(look.height)]
    places_x = np.rint(_scaled(x, x_range, columns)).astype(int).tolist()
    places_y = (look.height - 1 - np.rint(_scaled(y, y_range, look.height))).astype(int).tolist()
    for column, row, name in zip(places_x, places_y, names, strict=True):
        _write(grid[row], column, name)
    body = [_in_colour("".join(line).rstrip(), look.colour) for line in grid]
    return framed(body, x_range, y_range, labels, [labels[1]] if labels[1] else [], margin, columns)


def _write(line: list[str], column: int, name: str) -> None:
    """A name around its column, a blank on each side of it; a dot, where there is no room for that."""
    first = max(0, min(column - len(name) // 2, len(line) - len(name)))
    around = line[max(0, first - 1) : first + len(name) + 1]
    if len(name) <= len(line) and not "".join(around).strip(" " + _DOT):
        line[first : first + len(name)] = name
    elif line[column] == " ":
        line[column] = _DOT


def _in_colour(line: str, colour: bool) -> str:
    return _painted(line, 0) if colour and line else line


def _finite(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    kept = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(x[kept], kind="stable")
    return x[kept][order], y[kept][order]


class _Look(NamedTuple):
    """``width`` of all, ``height`` of the plot itself; ``marked``: series are told apart by marks as well as colour."""

    colour: bool
    width: int
    height: int
    marked: bool


def _plot(series: Mapping[str, tuple[Floats, Floats]], labels: tuple[str, str], look: _Look, *, joined: bool) -> str:
    xs, ys = (np.concatenate([part[i] for part in series.values()] or [np.empty(0)]) for i in (0, 1))
    if not len(xs):
        return "(no finite values)"
    x_range, y_range = _range(xs), _range(ys)
    margin, columns = margins(y_range, look.width)
    fine = len(series) == 1 or (look.colour and (joined or not look.marked))
    canvas = _Canvas(columns, look.height, 2 if fine else 1, 4 if fine else 1)
    for index, (x, y) in enumerate(series.values()):
        canvas.draw(
            index,
            _scaled(x, x_range, canvas.points_x),
            canvas.points_y - 1 - _scaled(y, y_range, canvas.points_y),
            joined,
        )
    body = canvas.lines(fine, look.colour, look.marked and joined)
    head = _legend(list(series), labels[1], fine and not look.marked, look)
    return framed(body, x_range, y_range, labels, head, margin, columns)


def margins(y_range: tuple[float, float], width: int) -> tuple[int, int]:
    """Columns for the numbers of the upright axis, and for the plot itself."""
    margin = max(len(number(value)) for value in y_range) + 1
    return margin, max(5, width - margin - 1)


def framed(
    body: Sequence[str],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    labels: tuple[str, str],
    head: Sequence[str],
    margin: int,
    columns: int,
) -> str:
    """A plot's lines between its axes, under its head."""
    left = [""] * len(body)
    left[0], left[-1] = number(y_range[1]), number(y_range[0])
    rows = [f"{text:>{margin - 1}} │{line}" for text, line in zip(left, body, strict=True)]
    return "\n".join([*head, *rows, *_x_axis(x_range, labels[0], margin, columns)])


def _range(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if low < high:
        return low, high
    return (low - 0.5, high + 0.5) if abs(low) < 1e6 else (low - abs(low) / 10, low + abs(low) / 10)


def _scaled(values: Floats, limits: tuple[float, float], count: int) -> Floats:
    """Positions 0 … count−1 along an axis; made small first, since a difference of huge values overflows."""
    scale = max(map(abs, limits))
    low, high = (limit / scale for limit in limits)
    if not low < high:
        return np.full(len(values), (count - 1) / 2)
    return (values / scale - low) / (high - low) * (count - 1)


class _Canvas:
    """Points, each with the bits of the series that touch it; ``fine_x`` × ``fine_y`` of them a character."""

    def __init__(self, columns: int, rows: int, fine_x: int, fine_y: int) -> None:
        self.fine_x, self.fine_y = fine_x, fine_y
        self.points_x, self.points_y = columns * fine_x, rows * fine_y
        self._owner = np.full((self.points_y, self.points_x), -1)

    def draw(self, index: int, x: Floats, y: Floats, joined: bool) -> None:
        if not joined or len(x) < 2:
            self._owner[np.rint(y).astype(int), np.rint(x).astype(int)] = index
            return
        column = np.rint(x).astype(int)
        for c in range(column[0], column[-1] + 1):
            inside = y[np.searchsorted(column, c) : np.searchsorted(column, c, "right")]
            ends = np.interp([max(c - 0.5, x[0]), min(c + 0.5, x[-1])], x, y)
            values = np.rint(np.concatenate([inside, ends])).astype(int)
            self._owner[values.min() : values.max() + 1, c] = index

    def lines(self, fine: bool, colour: bool, marked: bool = False) -> list[str]:
        rows = self._owner.reshape(-1, self.fine_y, self.points_x // self.fine_x, self.fine_x).transpose(0, 2, 1, 3)
        bearing = _marks(rows.max((2, 3))) if marked else np.zeros(rows.shape[:2], bool)
        return [
            "".join(_cell(cell, fine and not mark, colour) for cell, mark in zip(row, marks, strict=True)).rstrip()
            for row, marks in zip(rows, bearing, strict=True)
        ]


def _marks(owners: npt.NDArray[np.int_]) -> npt.NDArray[np.bool_]:
    """Where [rows, columns] a series' mark stands: every so many columns, each series in columns of its own, once."""
    columns = np.arange(owners.shape[1])
    there = (owners >= 0) & (columns % _APART == (1 + 3 * owners) % _APART)
    found: npt.NDArray[np.bool_] = there & (there.cumsum(0) == 1)
    return found


def _cell(cell: npt.NDArray[np.int_], fine: bool, colour: bool) -> str:
    """One character: its points' owners [fine_y, fine_x], −1 where nothing is."""
    owner = int(cell.max())
    if owner < 0:
        return " "
    text = chr(FIRST_BRAILLE + int(DOTS[cell >= 0].sum())) if fine else MARKS[owner % len(MARKS)]
    return _painted(text, owner) if colour else text


def _painted(text: str, index: int) -> str:
    return f"\x1b[{COLOURS[index % len(COLOURS)]}m{text}\x1b[0m"


def _legend(names: Sequence[str], y_label: str, fine: bool, look: _Look) -> list[str]:
    """In as many lines as it takes."""
    lines: list[list[str]] = [[y_label] if y_label else []]
    used = len(y_label)
    for index, (name, mark) in enumerate(zip(names, cycle(MARKS), strict=False)):
        if not name:
            continue
        text = f"{'━' if fine else mark} {name}"
        if lines[-1] and used + 3 + len(text) > look.width:
            lines.append([])
        used = (used + 3 if lines[-1] else 0) + len(text)
        lines[-1].append(_painted(text, index) if look.colour else text)
    return ["   ".join(line) for line in lines if line]


def _x_axis(limits: tuple[float, float], label: str, margin: int, columns: int) -> list[str]:
    low, high = number(limits[0]), number(limits[1])
    line = " " * margin + "└" + "─" * columns
    if len(low) + len(high) + 1 > columns:  # too narrow for both: one below the other
        return [line, low.rjust(margin + 2), high.rjust(margin + 1 + columns)]
    middle = label if len(low) + len(label) + len(high) + 2 <= columns else ""
    numbers = low + middle.center(columns - len(low) - len(high)) + high
    return [line, " " * (margin + 1) + numbers]
