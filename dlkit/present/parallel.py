"""Parallel coordinates as characters: upright axes side by side, a line through each for everything that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dlkit.present.plot import DOTS, FIRST_BRAILLE
from dlkit.steering import one_line

NARROWEST = 8
"""Columns from one axis to the next, at least."""
_BEST, _OTHERS = "\x1b[1;33m", "\x1b[2;36m"
_PLAIN = "\x1b[0m"


class Axis(NamedTuple):
    """``ticks``: what is written beside it, and where, 0 (at the bottom) to 1."""

    title: str
    ticks: Sequence[tuple[float, str]]


class Path(NamedTuple):
    """A line through all axes, at a place on each; None: it has none there. What is ``best`` lies on top."""

    places: Sequence[float | None]
    best: bool
    name: str = ""


class Ways(NamedTuple):
    """Parallel coordinates; ``title`` says what they are of."""

    title: str
    axes: Sequence[Axis]
    paths: Sequence[Path]


def parallel_axes(axes: Sequence[Axis], paths: Sequence[Path], *, colour: bool, width: int, height: int) -> str:
    """Two axes or more; ``height`` lines, below the titles'. Of more axes than ``width`` has room for, the first ones
    and the last are drawn. A line that lacks a value passes below, where the ``-`` is."""
    wanted = max((len(one_line(text)) for _, text in axes[-1].ticks), default=0) + 2
    room = max(NARROWEST, min(wanted, width // 3))
    most = max(2, 1 + (width - room) // NARROWEST)
    if len(axes) > most:
        kept = [*range(most - 1), len(axes) - 1]
        axes = [axes[i] for i in kept]
        paths = [Path([path.places[i] for i in kept], path.best) for path in paths]
    apart = (width - room) // (len(axes) - 1)
    lacking = any(place is None for path in paths for place in path.places)
    rows = height - 1 if lacking else height
    canvas = np.full((height * 4, (apart * (len(axes) - 1) + 1) * 2), -1)
    for path in sorted(paths, key=lambda path: path.best):
        _draw(canvas, path, apart, rows)
    cells = _cells(canvas, colour)
    for i, axis in enumerate(axes):
        _label(cells, axis, i * apart, (apart if axis is not axes[-1] else room) - 2, rows)
    if lacking:
        cells[-1][0] = cells[-1][0] if cells[-1][0].strip() else "-"
    return "\n".join([_titles([one_line(axis.title) for axis in axes], apart, width), *map("".join, cells)])


def _titles(titles: Sequence[str], apart: int, width: int) -> str:
    """Each over its axis; the last ends where the picture does, if there is no room to its right."""
    last = titles[-1][: max(NARROWEST, width // 3)]
    start = min(apart * (len(titles) - 1), width - len(last))
    before = "".join(title[: apart - 1].ljust(apart) for title in titles[:-1])
    return f"{before[: start - 1]:{start}}{last}"


def _draw(canvas: npt.NDArray[np.int_], path: Path, apart: int, rows: int) -> None:
    """Straight from axis to axis, in points of a braille character."""
    bottom = canvas.shape[0] - 1
    ys = [bottom if place is None else (rows * 4 - 1) * (1 - place) for place in path.places]
    for i, (y, after) in enumerate(pairwise(ys)):
        xs = np.arange(i * apart * 2, (i + 1) * apart * 2 + 1)
        line = np.rint(np.linspace(y, after, len(xs))).astype(int)
        for x, at, to in zip(xs[:-1], line, line[1:], strict=False):
            low, high = sorted((int(at), int(to)))
            canvas[low : high + 1, x] = int(path.best)


def _cells(canvas: npt.NDArray[np.int_], colour: bool) -> list[list[str]]:
    """A text for each character, with its colour; without colour the best are stars."""
    blocks = canvas.reshape(canvas.shape[0] // 4, 4, canvas.shape[1] // 2, 2).transpose(0, 2, 1, 3)
    return [[_cell(block, colour) for block in row] for row in blocks]


def _cell(block: npt.NDArray[np.int_], colour: bool) -> str:
    owner = int(block.max())
    if owner < 0:
        return " "
    dots = chr(FIRST_BRAILLE + int(DOTS[block >= 0].sum()))
    if not colour:
        return "*" if owner else dots
    return f"{_BEST if owner else _OTHERS}{dots}{_PLAIN}"


def _label(cells: list[list[str]], axis: Axis, column: int, most: int, rows: int) -> None:
    """The axis itself, and its ticks to the right of it, as far as each has a line of its own; the ends first."""
    for row in cells[:rows]:
        row[column] = "│"
    ordered = [*axis.ticks[:1], *axis.ticks[-1:], *axis.ticks[1:-1]]
    taken: set[int] = set()
    for place, text in ordered:
        at = round((rows - 1) * (1 - place))
        if at in taken:
            continue
        taken.add(at)
        row = cells[at]
        words = one_line(text)[:most]
        row += [" "] * (column + 1 + len(words) - len(row))
        row[column + 1 : column + 1 + len(words)] = list(words)
