"""A sheet of characters with styles, on which lines are drawn in braille: two by four dots a cell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from dlkit.steering import one_line
from dlkit.tui.chart.axes import Range
from dlkit.tui.chart.thin import Floats, Spans

DOTS_ACROSS, DOTS_DOWN = 2, 4
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)
"""Of each dot of a cell, as Unicode has it."""
_BRAILLE = np.array([ord(" "), *range(0x2801, 0x2900)], np.uint32)
_BLANK = ord(" ")
_REST = 0
"""The second cell of a wide character."""
_UPPER, _LOWER = 0x1B, 0xE4
_PLAIN = np.array([ord(" '.:"[bool(code & _UPPER) + 2 * bool(code & _LOWER)]) for code in range(256)], np.uint32)
"""For terminals without braille: the upper or lower half of a cell, or both."""


def dots(spans: Spans, values: Range, rows: int) -> npt.NDArray[np.uint8]:
    """The line's dots in cells [rows, N/2], a byte each: from its lowest to its highest value in every column."""
    with np.errstate(invalid="ignore"):
        low = np.fmin(np.fmin(spans.low, spans.edges[:-1]), spans.edges[1:])
        high = np.fmax(np.fmax(spans.high, spans.edges[:-1]), spans.edges[1:])
    there = np.isfinite(low)
    bottom = _row(np.where(there, low, 0.0), values, rows * DOTS_DOWN)
    top = _row(np.where(there, high, 0.0), values, rows * DOTS_DOWN)
    level = np.arange(rows * DOTS_DOWN)[:, None]
    mask = (level >= top) & (level <= bottom) & there
    cells = mask.reshape(rows, DOTS_DOWN, -1, DOTS_ACROSS) * _BITS[None, :, None, :]
    found: npt.NDArray[np.uint8] = cells.sum((1, 3), dtype=np.uint8)
    return found


def _row(value: Floats, values: Range, count: int) -> npt.NDArray[np.int64]:
    """Counted from the top."""
    share = (np.clip(value, values.low, values.high) - values.low) / (values.high - values.low)
    return (count - 1 - np.floor(share * (count - 1) + 0.5)).astype(np.int64)


def row_of(value: float, values: Range, rows: int) -> int:
    """The cell that a value lies in, counted from the top."""
    return int(_row(np.array([value]), values, rows * DOTS_DOWN)[0]) // DOTS_DOWN


def _codes(text: str) -> list[int]:
    """A cell each; without what has no width."""
    found = []
    for character in one_line(text):
        if width := get_character_cell_size(character):
            found += [ord(character), *[_REST] * (width - 1)]
    return found


def _wide(code: int) -> bool:
    return get_character_cell_size(chr(code)) > 1


class Sheet:
    """Characters [rows, columns], each with the number of its style."""

    def __init__(self, columns: int, rows: int, *, plain: bool = False) -> None:
        self.rows, self.columns, self.plain = rows, columns, plain
        self._codes = np.full((rows, columns), _BLANK, np.uint32)
        self._styles = np.zeros((rows, columns), np.int16)
        self._dots = np.zeros((rows, columns), np.uint8)
        self._faint = np.zeros((rows, columns), np.bool_)
        self._known: dict[Style, int] = {Style.null(): 0}

    def copy(self) -> Sheet:
        """One to go on drawing on, while this one stays."""
        other = Sheet.__new__(Sheet)
        other.rows, other.columns, other.plain = self.rows, self.columns, self.plain
        other._codes, other._styles = self._codes.copy(), self._styles.copy()
        other._dots, other._faint = self._dots.copy(), self._faint.copy()
        other._known = dict(self._known)
        return other

    def line(self, cells: npt.NDArray[np.uint8], left: int, top: int, style: Style, *, faint: bool = False) -> None:
        """Dots of a line. In cells of another line both are seen; a faint one gives way to what is drawn over it."""
        where = np.s_[top : top + cells.shape[0], left : left + cells.shape[1]]
        new = cells > 0
        kept = np.where(self._faint[where] & ~np.bool_(faint), np.uint8(0), self._dots[where])
        self._dots[where] = np.where(new, kept | cells, self._dots[where])
        self._faint[where] = np.where(new, faint, self._faint[where])
        self._codes[where] = np.where(new, (_PLAIN if self.plain else _BRAILLE)[self._dots[where]], self._codes[where])
        self._styles[where] = np.where(new, self._number(style), self._styles[where])

    def text(self, row: int, column: int, text: str, style: Style) -> None:
        """What does not fit is cut off."""
        codes = _codes(text)[max(0, -column) : max(0, self.columns - column)]
        if not 0 <= row < self.rows or not codes:
            return
        start = max(0, column)
        end = start + len(codes)
        self._codes[row, start:end] = codes
        self._styles[row, start:end] = self._number(style)
        self._part(row, start)
        self._part(row, end)

    def _part(self, row: int, column: int) -> None:
        """A wide character that something new has cut in two is gone."""
        codes = self._codes[row]
        if column < self.columns and codes[column] == _REST and (column == 0 or not _wide(codes[column - 1])):
            codes[column] = _BLANK
        if column and _wide(codes[column - 1]) and (column == self.columns or codes[column] != _REST):
            codes[column - 1] = _BLANK

    def blank(self, row: int, column: int) -> bool:
        """Whether nothing is there yet."""
        return bool(self._codes[row, column] == _BLANK)

    def shade(self, rows: slice, columns: slice, style: Style) -> None:
        """Lay a style over what is there."""
        names = {number: known for known, number in self._known.items()}
        part = self._styles[rows, columns]
        for number in np.unique(part):
            part[part == number] = self._number(names[int(number)] + style)

    def strips(self, base: Style) -> list[Strip]:
        """The rows; neighbours of one style are one segment."""
        styles = [base + style for style in self._known]
        return [self._strip(row, styles) for row in range(self.rows)]

    def _strip(self, row: int, styles: Sequence[Style]) -> Strip:
        text = self._codes[row].astype("<u4").tobytes().decode("utf-32-le")
        numbers = self._styles[row]
        cuts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), self.columns]
        parts = ((text[a:b].replace(chr(_REST), ""), styles[numbers[a]]) for a, b in pairwise(cuts))
        return Strip([Segment(part, style) for part, style in parts if part], self.columns)

    def _number(self, style: Style) -> int:
        return self._known.setdefault(style, len(self._known))
