"""Rows that are asked about, as people write them, and the features they become; no torch: an exported model reads them
the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from dlkit.data.cells import Cell
from dlkit.data.tables import RawTable, Reading, parse_csv, read_like
from dlkit.errors import DataError
from dlkit.question_schema import text_of
from dlkit_regression.columns import Column
from dlkit_regression.encoding import Encoded, encode
from dlkit_regression.remarks import remarks

Row = Mapping[str, Cell]
"""Raw values by the names of their columns."""
_QUOTED = 200
"""Characters of a row that an error repeats."""


class Rows:
    """Reads rows of these ``columns``; ``words`` stand for missing values, and files are read as ``reading`` says."""

    def __init__(self, columns: Sequence[Column], words: Sequence[str], reading: Reading) -> None:
        self.columns, self._words, self._reading = columns, words, reading
        self.names = [column.name for column in columns]
        self._remarks: list[str] = []

    def read(self, words: Sequence[str]) -> list[object]:
        """Rows of the files and words given, in order; a file's columns may stand in any order, others are ignored."""
        table = self._read_lines(words)
        rows: list[object] = [*(table or [])]
        for word in words if table is None else ():
            rows += self._read_file(Path(word)) if _is_file(word) else [self.accept(word)]
        return rows

    def accept(self, value: object) -> object:
        """A row: an object of its columns, a list of values in their order, or text as the command line has it."""
        row = _read_row(text_of(value, "a row")) if isinstance(value, (str, bytes)) else value
        mapped = self._mapping(row, 1)
        self._encoded(RawTable.of_rows([mapped], self.names))
        return row

    def features(self, rows: Sequence[object]) -> Encoded:
        """Rows as what the model sees, [N,F]; DataError names row and column of a value that cannot be one."""
        table = RawTable.of_rows([self._mapping(row, i) for i, row in enumerate(rows, 1)], self.names)
        found = self._encoded(table)
        self._remarks += remarks(self.columns, table, found, self._words)
        return found

    def notes(self) -> list[str]:
        """What was guessed and left out in files, what was filled, what is unlike anything trained on."""
        said, self._remarks = self._remarks, []
        return said

    def _read_file(self, path: Path) -> list[Row]:
        return self._rows(read_like(path, self._reading, self.names))

    def _read_lines(self, words: Sequence[str]) -> list[Row] | None:
        """Words that are the lines of a table, as standard input brings them; None if they are not."""
        delimiter = self._reading.delimiter or ","
        head = [name.strip().strip('"') for name in (words[0] if words else "").split(delimiter)]
        if len(words) < 2 or not set(self.names) <= set(head):
            return None
        return self._rows(parse_csv("\n".join(words), "input", self._reading.delimiter))

    def _rows(self, table: RawTable) -> list[Row]:
        self._remarks += table.notes
        self._encoded(table)  # here, where file and line of a bad value are known
        cells = zip(*(table.columns[name] for name in self.names), strict=True)
        return [dict(zip(self.names, row, strict=True)) for row in cells]

    def _encoded(self, table: RawTable) -> Encoded:
        return encode(self.columns, table, self._words)

    def _mapping(self, row: object, number: int) -> Row:
        if isinstance(row, Mapping):
            return row
        # An array too, which is no Sequence.
        if isinstance(row, (str, bytes)) or not (isinstance(row, Sequence) or hasattr(row, "__array__")):
            raise DataError(f"row {number}: {row!r} is neither a mapping of columns nor a list of values")
        values: Sequence[Cell] = row  # type: ignore[assignment]
        if len(values) != len(self.names):
            raise DataError(f"row {number} has {len(values)} values; the columns are: {', '.join(self.names)}")
        return dict(zip(self.names, values, strict=True))


def _is_file(word: str) -> bool:
    """Whether a word names a file: one that exists, or a word that is not a row."""
    return not word.lstrip().startswith(("{", "[")) and (Path(word).is_file() or "=" not in word)


def _read_row(word: str) -> object:
    if not word.lstrip().startswith(("{", "[")):
        pairs = [part.partition("=") for part in word.split(",")]
        odd = next((name for name, sign, _ in pairs if not sign), None)
        if odd is not None:
            comma = '; a value with a comma is given as JSON: {"name": "1,5"}'
            raise DataError(f"{_cut(word)}: {_cut(odd)} is not of the form name=value{comma}")
        return {name.strip(): value.strip() for name, _, value in pairs}
    try:
        row: object = json.loads(word)
        return row
    except json.JSONDecodeError as error:
        raise DataError(f"{_cut(word)}: not JSON: {error}") from error


def _cut(word: str) -> str:
    """A word in quotes, of a long one its beginning."""
    return repr(word) if len(word) <= _QUOTED else f"{word[:_QUOTED]!r}…"
