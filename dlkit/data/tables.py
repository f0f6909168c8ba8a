"""Tables of raw values: CSV files, and rows that somebody typed. What cannot be read is named by file, line, column."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dlkit.bounded import BadFile, open_regular
from dlkit.errors import DataError

if TYPE_CHECKING:
    from _csv import Reader

Cell = object
"""A value as somebody gave it: text of a file, a number, whatever a caller passed; not checked yet."""
DELIMITERS = ",;\t|"
LARGEST = 1e100
"""Of a number that is taken: sums of squares of a billion such are finite."""


@dataclass(frozen=True)
class RawTable:
    """Equally long columns by name; ``where(i)`` says where row i came from, for messages."""

    columns: Mapping[str, Sequence[Cell]]
    where: Callable[[int], str]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Cell]], names: Sequence[str]) -> RawTable:
        """The columns ``names`` of rows given as mappings; DataError names row and column of what is missing."""
        for i, row in enumerate(rows, 1):
            missing = [name for name in names if name not in row]
            if missing:
                raise DataError(f"row {i} lacks {', '.join(missing)}; needed are: {', '.join(names)}")
        return cls({name: [row[name] for row in rows] for name in names}, lambda i: f"row {i + 1}")

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """A column as finite float64 [N]."""
        values = self.columns[name]
        found = [as_number(value) for value in values]
        bad = next((i for i, number in enumerate(found) if number is None), None)
        if bad is not None:
            bounds = f" up to {LARGEST:g}" if _is_float(values[bad]) else ""
            what = f"{repr(values[bad])[:80]} is not a number{bounds}"
            raise self.error(bad, name, "an empty cell" if values[bad] == "" else what)
        return np.array(found, np.float64)

    def words(self, name: str) -> list[str]:
        """A column as text; whole numbers are written without a point."""
        found = [as_word(value) for value in self.columns[name]]
        if "" in found:
            raise self.error(found.index(""), name, "an empty cell")
        return found

    def error(self, row: int, name: str, what: str) -> DataError:
        return DataError(f"{self.where(row)}, column {name!r}: {what}")


def as_number(value: Cell) -> float | None:
    """A number of at most ±LARGEST, or None for what is not one."""
    if not _is_float(value):
        return None
    number = float(value)  # type: ignore[arg-type]
    return number if abs(number) <= LARGEST else None


def _is_float(value: Cell) -> bool:
    # Python reads 1_000; in a table it is a name.
    try:
        float(value)  # type: ignore[arg-type]  # what it refuses is not a number
    except (TypeError, ValueError, OverflowError):
        return False
    return "_" not in str(value)


def as_word(value: Cell) -> str:
    return str(int(value)) if isinstance(value, (bool, float)) and float(value).is_integer() else str(value).strip()


def read_csv(path: Path, delimiter: str = "") -> RawTable:
    """A CSV file with a header, in UTF-8; an empty ``delimiter`` is guessed from the header.

    DataError names file, line and column of a missing or surplus field, a broken quote, a header without names.
    """
    try:
        with os.fdopen(
            open_regular(path), encoding="utf-8-sig", newline=""
        ) as file:  # spreadsheets begin with a byte order mark
            first = file.readline()
            file.seek(0)
            # Strict: a quote that is never closed would otherwise take the rest of the file for one cell.
            reader = csv.reader(file, delimiter=delimiter or _guess(first), strict=True)
            return _read(reader, path)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not text in UTF-8: byte {error.start}: {error.reason}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except BadFile as error:
        raise DataError(str(error)) from error


def _guess(header: str) -> str:
    # The header alone: cells hold decimal commas, which csv.Sniffer takes for delimiters.
    return max(DELIMITERS, key=header.count)


def _read(reader: Reader, path: Path) -> RawTable:
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, path)
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise _miscounted(path, reader.line_num, row, header)
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}") from error
    if not rows:
        raise DataError(f"{path}: a header, but no rows")
    columns = dict(zip(header, ([cell.strip() for cell in column] for column in zip(*rows, strict=True)), strict=True))
    return RawTable(columns, lambda i: f"{path}, line {lines[i]}")


def _check_header(header: Sequence[str], path: Path) -> None:
    if not header:
        raise DataError(f"{path}, line 1: no header: the first line must name the columns")
    seen: set[str] = set()
    for number, name in enumerate(header, 1):
        if not name:
            raise DataError(f"{path}, line 1, column {number}: it has no name")
        if name in seen:
            raise DataError(f"{path}, line 1, column {number}: the name {name!r} occurs twice")
        seen.add(name)


def _miscounted(path: Path, line: int, row: Sequence[str], header: Sequence[str]) -> DataError:
    counts = f"the row has {len(row)} fields, the header {len(header)}"
    if len(row) < len(header):
        return DataError(f"{path}, line {line}, column {header[len(row)]!r}: missing: {counts}")
    return DataError(f"{path}, line {line}, column {len(header) + 1}: unexpected {row[len(header)]!r}: {counts}")
