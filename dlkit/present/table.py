"""Rows as aligned columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlkit.present.numbers import number
from dlkit.steering import one_line


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Aligned columns, two blanks apart; numbers to the right. A cell is one line, whatever it is made of."""
    cells = [[_text(cell) for cell in row] for row in rows]
    headers = [one_line(header) for header in headers]
    right = [bool(cells) and all(_is_number(row[i]) for row in cells) for i in range(len(headers))]
    widths = [max(len(line[i]) for line in [headers, *cells]) for i in range(len(headers))]
    lines = [
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True)).rstrip()
        for line in [headers, *cells]
    ]
    return "\n".join(lines)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return number(cell) if isinstance(cell, float) else one_line(str(cell))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(" ", "") or "0")
    except ValueError:
        return False
    return True
