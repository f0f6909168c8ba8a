"""The text of CSV files taken apart: what separates fields, records and their lines, blank lines, the header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice

from dlkit.data.numerals import take_apart
from dlkit.errors import DataError

DELIMITERS = ",;\t|"
_LOOKED_AT = 1 << 18
"""Characters that a delimiter is guessed from, and how many records of them."""
_RECORDS = 60
_SEPARATOR = re.compile(r'"?sep=(.)"?\r?(?:\n|\r|\Z)', re.IGNORECASE)
"""A first line that tells Excel what separates fields."""
Rows = list[tuple[int, list[str]]]
"""Records with the number of the line that each ends on."""


@dataclass(frozen=True)
class Records:
    """A header, its line, the rows, what was guessed or left out, and what separated fields."""

    line: int
    header: list[str]
    rows: Rows
    notes: list[str]
    delimiter: str


def records_of(text: str, who: str, delimiter: str = "") -> Records:
    """A CSV file's text; ``who`` stands before the lines in messages. An empty ``delimiter`` is guessed.

    All rows have as many fields as the header: DataError names line and column of a missing or surplus field, a broken
    quote, a name that occurs twice.
    """
    # An encoding that was named leaves the byte order mark where it is.
    text = text.removeprefix("\ufeff")
    notes = []
    first = _SEPARATOR.match(text)
    if first:
        delimiter, text = delimiter or first[1], text[first.end() :]
    elif not delimiter:
        delimiter, others = _guess(text)
        if delimiter != "," or others:
            notes.append(f"fields are separated by {delimiter!r} (dataset.delimiter says otherwise)")
    found = _records(text, delimiter, who, 1 if first else 0)
    return _even_records(found, who, delimiter, notes)


def _guess(text: str) -> tuple[str, bool]:
    """What separates fields, and whether something else might as well."""
    start = text[:_LOOKED_AT]
    found = {sign: _first_records(start, sign, whole=len(start) == len(text)) for sign in DELIMITERS}
    even = {
        sign: records for sign, records in found.items() if len({len(r) for r in records}) == 1 and len(records[0]) > 1
    }
    if even:
        # Decimal commas may make records even that semicolons separate. What is left over in cells tells: numbers that
        # hold a comma are numbers, what holds a semicolon between numbers is not.
        best = max(even, key=lambda sign: (-_left_over(even[sign], even.keys() - {sign}), len(even[sign][0])))
        return best, len(even) > 1
    return max(DELIMITERS, key=lambda sign: _header_fields(start, sign)), False


def _header_fields(text: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter, strict=True), ()))
    except csv.Error:
        return 0


def _first_records(text: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    """The first records that are not blank; none if quotes do not fit the delimiter."""
    records: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        records.extend(islice((row for row in reader if any(map(str.strip, row))), _RECORDS))
    except csv.Error:
        if whole:
            return []
    return records if whole or len(records) == _RECORDS else records[:-1]


def _left_over(records: Sequence[Sequence[str]], others: Collection[str]) -> float:
    """The share of cells that hold something else that could separate fields, and are no numbers."""
    cells = [cell for record in records[1:] for cell in record]
    return sum(any(sign in cell for sign in others) and take_apart(cell) is None for cell in cells) / max(1, len(cells))


def _records(text: str, delimiter: str, who: str, before: int) -> Rows:
    """All records but blank ones, with their lines; ``before``: lines that the text lacks."""
    # Strict: a quote that is never closed would otherwise take the rest of the file for one cell.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return [(reader.line_num + before, row) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"{who}, line {reader.line_num + before}: {error}") from error


def _even_records(records: Rows, who: str, delimiter: str, notes: list[str]) -> Records:
    blank = [line for line, row in records if not any(map(str.strip, row))]
    named = [(line, row) for line, row in records if any(map(str.strip, row))]
    if not named:
        raise DataError(f"{who}, line 1: no header: the first line must name the columns")
    (first, header), rows = named[0], named[1:]
    if not rows:
        raise DataError(f"{who}: a header, but no rows")
    header, rows, ends = _even(header, rows)
    # Spreadsheets save rows that were emptied as delimiters alone. Of one column, an empty line is no row.
    if blank and len(header) > 1 and (empty := [line for line in blank if line > first]):
        ends.append(f"{len(empty)} rows without any value are left out, such as line {empty[0]}")
    header = [name.strip() for name in header]
    _check_header(header, who, first)
    for line, row in rows:
        if len(row) != len(header):
            raise _miscounted(who, line, row, header)
    return Records(first, header, rows, [*notes, *ends], delimiter)


def _even(header: list[str], rows: Rows) -> tuple[list[str], Rows, list[str]]:
    """Without the empty last field that a delimiter at the end of lines makes, where the header or all rows lack it."""
    width = len(header)
    if all(len(row) == width + 1 and not row[-1].strip() for _, row in rows):
        rows = [(line, row[:-1]) for line, row in rows]
        return header, rows, ["an empty field at the end of every row is left out"]
    if not header[-1].strip() and all(len(row) == width - 1 for _, row in rows):
        return header[:-1], rows, ["an empty field at the end of the header is left out"]
    return header, rows, []


def _check_header(header: Sequence[str], who: str, line: int) -> None:
    seen: set[str] = set()
    for number, name in enumerate(header, 1):
        if name and name in seen:
            raise DataError(f"{who}, line {line}, column {number}: the name {name!r} occurs twice")
        seen.add(name)


def _miscounted(who: str, line: int, row: Sequence[str], header: Sequence[str]) -> DataError:
    counts = f"the row has {len(row)} fields, the header {len(header)}"
    # The first field that is missing may be any: the row says only how many there are.
    if len(row) < len(header):
        return DataError(f"{who}, line {line}, column {header[len(row)]!r}: missing: {counts}")
    return DataError(f"{who}, line {line}, column {len(header) + 1}: unexpected {row[len(header)]!r}: {counts}")
