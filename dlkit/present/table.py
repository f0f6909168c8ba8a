"""Rows as aligned columns, as CSV, as a table of Markdown."""

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


def csv_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Comma-separated values, numbers in full, None as an empty cell; a cell is one line, quoted where it must be."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in (headers, *rows):
        writer.writerow([one_line(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue().rstrip("\n")


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of Markdown, numbers as people read them."""
    cells = [[_text(cell) for cell in row] for row in rows]
    right = [bool(cells) and all(_is_number(row[i]) for row in cells) for i in range(len(headers))]
    lines = [[one_line(header) for header in headers], ["--:" if side else "---" for side in right], *cells]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


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
