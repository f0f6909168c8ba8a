"""A rectangle of the plane as characters: two pixels a cell, points as signs, paths as braille on the colours below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dlkit.present import plot
from dlkit.samples import Marks, Plane
from dlkit.steering import one_line

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int_]
Colour = int
"""RGB in one number, 0xrrggbb; −1: the terminal's own."""
OWN: Colour = -1
Run = tuple[str, Colour, Colour]
"""Characters of one colour on one ground."""

SIGNS = {"dot": "●", "ring": "○", "cross": "×"}
PATH = "━"
_UPPER, _BLANK, _BRAILLE = ord("▀"), ord(" "), 0x2800
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.int32)
"""The bit of each of a braille character's points, by row and column."""
_AROUND = 3
"""Lines of the axis, its numbers and the legend; the note has one more."""
_LEAST = (8, 4)
_FAR = 4096
"""Dots of one part of a path that are drawn, however far outside it ends."""


def drawn(plane: Plane, width: int, height: int) -> list[list[Run]]:
    """The picture between its axes, with legend and note: as large as fits into so many columns and lines."""
    margin = max(len(_short(value)) for value in plane.y_range) + 1
    note = one_line(plane.note)
    columns, lines = fitted(plane, width - margin - 1, height - _AROUND - bool(note))
    left = [""] * lines
    left[-1], left[0] = _short(plane.y_range[0]), _short(plane.y_range[1])
    body = zip(left, cells(plane, columns, lines).runs(), strict=True)
    rows = [[(f"{text:>{margin - 1}} │", OWN, OWN), *runs] for text, runs in body]
    below = [*_x_axis(plane, margin, columns), *([note[:width]] if note else [])]
    return [*_legend(plane, width), *rows, *([(text, OWN, OWN)] for text in below)]


def in_black_and_white(plane: Plane, width: int, height: int) -> str:
    """What colours say cannot be said without them: where the points lie can, with the note below."""
    spread = [marks for marks in plane.marks if not marks.joined]
    x, y = ([float(v) for marks in spread for v in getattr(marks, axis)] for axis in "xy")
    names = [one_line(marks.name) for marks in spread for _ in marks.x]
    labels = one_line(plane.x_label), one_line(plane.y_label)
    lines = max(_LEAST[1], height - _AROUND - bool(plane.note))
    shown = plot.scatter(x, y, names, labels, colour=False, width=width, height=lines)
    note = [one_line(plane.note)] if plane.note else []
    return "\n".join(line[:width] for line in [*shown.split("\n"), *note])


def fitted(plane: Plane, columns: int, lines: int) -> tuple[int, int]:
    """The largest size in cells, each two pixels high, in which the picture keeps its proportions."""
    height, width = plane.image.shape[:2]
    wide = max(_LEAST[0], min(columns, round(lines * 2 * width / height)))
    return wide, max(_LEAST[1], round(wide * height / (2 * width)))


@dataclass(frozen=True)
class Cells:
    """A picture as characters: code points int32 [L,C], and their colours and grounds as numbers, int32 [L,C]."""

    signs: npt.NDArray[np.int32]
    ink: npt.NDArray[np.int32]
    paper: npt.NDArray[np.int32]

    def runs(self) -> Iterator[list[Run]]:
        """Line by line, neighbours that look alike in one: a terminal is told a colour when it changes."""
        changes = np.ones(self.signs.shape, bool)
        changes[:, 1:] = (np.diff(self.ink, axis=1) != 0) | (np.diff(self.paper, axis=1) != 0)
        for signs, ink, paper, change in zip(self.signs, self.ink, self.paper, changes, strict=True):
            text = "".join(map(chr, signs.tolist()))
            starts = np.flatnonzero(change)
            inks, papers = ink[starts].tolist(), paper[starts].tolist()
            ends = pairwise([*starts.tolist(), len(text)])
            yield [(text[a:b], i, p) for (a, b), i, p in zip(ends, inks, papers, strict=True)]


def cells(plane: Plane, columns: int, lines: int) -> Cells:
    """The picture in so many cells, without its axes."""
    pixels = resized(plane.image, columns, 2 * lines)
    upper, lower = _packed(pixels[::2]), _packed(pixels[1::2])
    signs = np.where(upper == lower, _BLANK, _UPPER).astype(np.int32)
    ground = _packed(((pixels[::2].astype(np.uint16) + pixels[1::2]) // 2).astype(np.uint8))
    found = Cells(signs, upper, lower)
    for marks in plane.marks:  # paths first: the points lie on them
        if marks.joined:
            _trace(found, ground, plane, marks)
    for marks in reversed(plane.marks):
        if not marks.joined:
            column, row = _places(plane, marks, columns, lines)
            found.signs[row, column], found.ink[row, column] = ord(SIGNS[marks.sign]), _number(marks.colour)
            found.paper[row, column] = ground[row, column]
    # A blank shows its ground alone: alike whatever its ink, so that it starts no new run.
    blank = found.signs == _BLANK
    found.ink[blank] = found.paper[blank]
    return found


def resized(image: Pixels, width: int, height: int) -> Pixels:
    """Pixels [H,W,3] at another size: between them where it grows, averaged where it shrinks."""
    if image.shape[:2] == (height, width):
        return image
    from PIL import Image

    how = Image.Resampling.BOX if width < image.shape[1] else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).resize((width, height), how), np.uint8)


def legend(plane: Plane) -> list[tuple[str, Colour]]:
    """What each sign on it means, with its colour: of marks of one name the first."""
    named = {marks.name: marks for marks in reversed(plane.marks) if marks.name}
    return [
        (f"{PATH if marks.joined else SIGNS[marks.sign]} {one_line(name)}", _number(marks.colour))
        for name, marks in reversed(named.items())
    ]


def _legend(plane: Plane, width: int) -> list[list[Run]]:
    runs: list[Run] = [(f"{one_line(plane.y_label)}   ", OWN, OWN)] if plane.y_label else []
    for text, colour in legend(plane):
        if sum(len(run[0]) for run in runs) + len(text) + 3 <= width:
            runs.append((f"{text}   ", colour, OWN))
    return [runs] if runs else []


def _short(value: float) -> str:
    """An edge of the picture, which is where it is by chance."""
    return f"{value:.3g}"


def _x_axis(plane: Plane, margin: int, columns: int) -> list[str]:
    low, high = (_short(value) for value in plane.x_range)
    label = one_line(plane.x_label)
    room = columns - len(low) - len(high)
    middle = label.center(room) if len(label) + 2 <= room else " " * max(1, room)
    return [" " * margin + "└" + "─" * columns, " " * (margin + 1) + low + middle + high]


def _trace(found: Cells, ground: npt.NDArray[np.int32], plane: Plane, marks: Marks) -> None:
    """A path in braille: eight dots a cell, on what lies below."""
    lines, columns = found.signs.shape
    column, row = _passed(*_scaled(plane, marks, 2 * columns, 4 * lines))
    inside = (column >= 0) & (column < 2 * columns) & (row >= 0) & (row < 4 * lines)
    dots = np.zeros((4 * lines, 2 * columns), bool)
    dots[row[inside], column[inside]] = True
    bits = (dots.reshape(lines, 4, columns, 2) * _DOTS[None, :, None, :]).sum((1, 3), dtype=np.int32)
    touched = bits > 0
    # Two paths in one cell: the dots of both, in the later one's colour.
    before = np.where(found.signs >= _BRAILLE, found.signs - _BRAILLE, 0)
    found.signs[touched] = _BRAILLE + (bits | before)[touched]
    found.ink[touched], found.paper[touched] = _number(marks.colour), ground[touched]


def _passed(x: Floats, y: Floats) -> tuple[Places, Places]:
    """The dots that a path through these points passes: column and row of each."""
    if len(x) < 2:
        return np.floor(x).astype(int), np.floor(y).astype(int)
    far = np.maximum(np.abs(np.diff(x)), np.abs(np.diff(y)))
    steps = np.ceil(np.minimum(far, _FAR)).astype(int) + 1
    part = np.repeat(np.arange(len(steps)), steps)
    share = (np.arange(len(part)) - np.repeat(np.cumsum(steps) - steps, steps)) / np.repeat(
        np.maximum(steps - 1, 1), steps
    )
    column, row = (np.floor(values[part] + share * np.diff(values)[part]).astype(int) for values in (x, y))
    return column, row


def _places(plane: Plane, marks: Marks, columns: int, lines: int) -> tuple[Places, Places]:
    """Column and row of each point that lies on the plane."""
    x, y = _scaled(plane, marks, columns, lines)
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < lines)
    return column[inside], row[inside]


def _scaled(plane: Plane, marks: Marks, width: int, height: int) -> tuple[Floats, Floats]:
    """Finite points in cells or dots from the left upper corner, those at an edge within it."""
    places = []
    for values, (low, high), size in ((marks.x, plane.x_range, width), (marks.y, plane.y_range, height)):
        share = (np.asarray(values, np.float64) - low) / ((high - low) or 1.0)
        places.append(np.where(share == 1, np.nextafter(1, 0), share) * size)
    x, y = places[0], height - places[1]
    y = np.where(y == height, np.nextafter(height, 0), y)
    kept = np.isfinite(x) & np.isfinite(y) & (np.abs(x) < 1e9) & (np.abs(y) < 1e9)
    return x[kept], y[kept]


def _packed(pixels: Pixels) -> npt.NDArray[np.int32]:
    """[…,3] → one number each."""
    wide = pixels.astype(np.int32)
    packed: npt.NDArray[np.int32] = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    return packed


def _number(colour: Sequence[int]) -> Colour:
    red, green, blue = (int(part) & 255 for part in colour)  # it may come from anybody's file
    return red << 16 | green << 8 | blue
