"""What stands above a plot: each line with its value, as long as there is room for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

_APART = 3
"""Cells between two."""


class Placed(NamedTuple):
    """Which of the texts, in which row and column, and in which of its forms."""

    which: int
    row: int
    column: int
    text: str


def packed(widths: Sequence[int], columns: int) -> list[list[tuple[int, int]]]:
    """Things side by side, three cells apart, in as many rows as it takes: (which, column) row by row."""
    rows: list[list[tuple[int, int]]] = [[]]
    column = 0
    for place, width in enumerate(widths):
        if rows[-1] and column + width > columns:
            rows.append([])
            column = 0
        rows[-1].append((place, column))
        column += width + _APART
    return rows


def more(count: int) -> str:
    """What stands at the end of the last row in place of those that have no room."""
    return f" … {count} more"


def arranged(forms: Sequence[Sequence[str]], columns: int, rows: int) -> list[Placed]:
    """Texts in ``rows`` rows, all in the longest of their forms that has room; of the shortest, those that still have
    none are left out, and room is kept for ``more``."""
    if rows < 1 or not forms:
        return []
    for level in range(max(map(len, forms))):
        texts = [form[min(level, len(form) - 1)] for form in forms]
        lines = packed([cell_len(text) for text in texts], columns)
        if len(lines) <= rows:
            break
    found = [
        Placed(which, row, column, texts[which]) for row, places in enumerate(lines[:rows]) for which, column in places
    ]
    while len(found) < len(forms):
        end = found[-1].column + cell_len(found[-1].text) if found and found[-1].row == rows - 1 else 0
        if end + len(more(len(forms) - len(found))) <= columns or not end:
            break
        found.pop()
    return found
