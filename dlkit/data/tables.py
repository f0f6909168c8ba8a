"""Tables of raw values: CSV files, and rows that somebody typed. What cannot be read is named by file, line, column."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from dlkit.bounded import BadFile, read_bytes
from dlkit.data.cells import (
    Cell,
    all_plain,
    as_number,
    as_word,
    is_empty,
    is_one_of,
    means_missing,
    not_a_number,
    numbers_in,
)
from dlkit.data.csv_text import records_of
from dlkit.data.numerals import PLAIN, Numerals
from dlkit.data.text.corpus import AUTO, decoded
from dlkit.errors import DataError

Floats = npt.NDArray[np.float64]
_LARGEST = 1 << 36
"""Bytes of a table: it is held in memory, but who has that may have it."""


@dataclass(frozen=True)
class RawTable:
    """Equally long columns by name; ``where(i)`` says where row i came from, for messages.

    ``unnamed``: position from 1 and cells of columns without a name; ``notes``: what was guessed or left out in
    reading; ``delimiter``: what separated fields; ``typed``: by somebody who may write numbers as programs do, whatever
    the column's form.
    """

    columns: Mapping[str, Sequence[Cell]]
    where: Callable[[int], str]
    unnamed: Mapping[int, Sequence[Cell]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    delimiter: str = ""
    typed: bool = False
    _read: dict[object, Floats | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Cell]], names: Sequence[str]) -> RawTable:
        """The columns ``names`` of rows given as mappings; DataError names row and column of what is missing."""
        for i, row in enumerate(rows, 1):
            missing = [name for name in names if name not in row]
            if missing:
                raise DataError(f"row {i} lacks {', '.join(missing)}; needed are: {', '.join(names)}")
        return cls({name: [row[name] for row in rows] for name in names}, lambda i: f"row {i + 1}", typed=True)

    def at(self, rows: npt.NDArray[np.int64]) -> RawTable:
        """These rows alone."""
        if len(rows) == len(self) and (np.diff(rows) == 1).all():
            return self
        places = rows.tolist()
        columns = {name: [cells[i] for i in places] for name, cells in self.columns.items()}
        return replace(self, columns=columns, where=lambda i: self.where(places[i]), unnamed={})

    def numbers(self, name: str, form: Numerals = PLAIN) -> Floats:
        """A column as finite float64 [N], its numbers written as ``form`` says."""
        found = self.numbers_or_nan(name, form)
        if np.isnan(found).any():
            raise self.missing(int(np.isnan(found).argmax()), name)
        return found

    def numbers_or_nan(self, name: str, form: Numerals = PLAIN, words: Sequence[str] = ()) -> Floats:
        """The same with NaN where a cell says that there is none, in one of ``words`` or as ``means_missing`` knows."""
        key = name, form, tuple(words)
        if key not in self._read:
            self._read[key] = self._numbers(name, form, words)
        found = self._read[key]
        assert found is not None
        return found

    def plain(self, name: str) -> Floats | None:
        """A column of text that programs would write for finite numbers, as float64 [N]; None for any other."""
        if name not in self._read:
            self._read[name] = all_plain(self.columns[name])
        return self._read[name]

    def _numbers(self, name: str, form: Numerals, words: Sequence[str]) -> Floats:
        plain = self.plain(name) if form.plain else None
        if plain is not None:
            return np.where(np.isin(plain, list(numbers_in(tuple(words)))), math.nan, plain) if words else plain
        values = self.columns[name]
        found = [
            math.nan if means_missing(value, words) else as_number(value, form, typed=self.typed) for value in values
        ]
        bad = next((i for i, number in enumerate(found) if number is None), None)
        if bad is not None:
            raise self.error(bad, name, not_a_number(values[bad], form))
        return np.array(found, np.float64)

    def words(self, name: str) -> list[str]:
        """A column as text; whole numbers are written without a point."""
        found = self.words_or_empty(name)
        if "" in found:
            raise self.error(found.index(""), name, "an empty cell")
        return found

    def words_or_empty(self, name: str, words: Sequence[str] = ()) -> list[str]:
        """The same with "" where there is nothing, or one of ``words``."""
        given = tuple(words)
        return ["" if is_empty(cell) or is_one_of(cell, given) else as_word(cell) for cell in self.columns[name]]

    def missing(self, row: int, name: str, more: str = "") -> DataError:
        """The error of a cell that says that there is no value."""
        value = self.columns[name][row]
        return self.error(row, name, ("an empty cell" if is_empty(value) else not_a_number(value)) + more)

    def error(self, row: int, name: str, what: str) -> DataError:
        return DataError(f"{self.where(row)}, column {name!r}: {what}")


@dataclass(frozen=True)
class Reading:
    """How a table was read, so that another like it is read the same.

    delimiter  what separates fields; empty: guessed
    encoding   of the file; auto: its byte order mark, else utf-8
    """

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    delimiter: str = ""
    encoding: str = AUTO

    def __post_init__(self) -> None:
        if len(self.delimiter) > 1 or not self.encoding:
            raise ValueError("a delimiter has one character at most, and an encoding has a name")


def read_csv(path: Path, delimiter: str = "", encoding: str = AUTO) -> RawTable:
    """A CSV file with a header; an empty ``delimiter`` is guessed, quotes respected, from the first lines.

    DataError names file, line and column of a missing or surplus field, a broken quote, a name that occurs twice.
    """
    try:
        data = read_bytes(path, _LARGEST)
    except (OSError, BadFile) as error:
        what = f"{path}: cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise DataError(what) from error
    text = decoded(data, path, encoding)
    # UTF-16 of plain letters is UTF-8 too, with NUL between them.
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        hint = "UTF-16 without its byte order mark is read with the encoding utf-16-le or utf-16-be"
        raise DataError(f"{path}, line {line}: holds NUL characters; {hint}")
    return parse_csv(text, str(path), delimiter)


def read_like(path: Path, reading: Reading, needed: Collection[str]) -> RawTable:
    """A CSV file with the columns ``needed``: as the reading says or, where that does not fit it, as is guessed."""
    try:
        table = read_csv(path, reading.delimiter, reading.encoding)
        _check_needed(table, path, needed)
        return table
    except DataError as error:
        try:
            table = read_csv(path)
            _check_needed(table, path, needed)
        except DataError:
            raise error from None
        return table


def _check_needed(table: RawTable, path: Path, needed: Collection[str]) -> None:
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise DataError(f"{path}, line 1: lacks the columns {', '.join(missing)}; needed: {', '.join(needed)}")


def parse_csv(text: str, who: str, delimiter: str = "") -> RawTable:
    """The text of a CSV file; ``who`` stands before the lines in messages."""
    found = records_of(text, who, delimiter)
    cells = [[cell.strip() for cell in column] for column in zip(*(row for _, row in found.rows), strict=True)]
    columns = {name: column for name, column in zip(found.header, cells, strict=True) if name}
    unnamed = {i: column for i, (name, column) in enumerate(zip(found.header, cells, strict=True), 1) if not name}
    lines = [line for line, _ in found.rows]
    return RawTable(columns, lambda i: f"{who}, line {lines[i]}", unnamed, found.notes, found.delimiter)
