"""``regressor``: predicts a row of raw values, and shows predictions against what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from dlkit.config import NoOptions
from dlkit.data.cells import Cell
from dlkit.data.splits import Batch, Split
from dlkit.data.tables import RawTable, parse_csv, read_like
from dlkit.errors import DataError
from dlkit.json_types import Json, JsonObject
from dlkit.metrics.selection import some_indices
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import NUMBER, TEXT, Schema, fields, text_of
from dlkit.samples import Curve, Sample, Scatter, Table
from dlkit_regression.encoding import OTHER, decode_row, encode, typical
from dlkit_regression.importance import importance
from dlkit_regression.info import Category, Date, Feature, Number, RegressionInfo
from dlkit_regression.remarks import remarks

Row = Mapping[str, Cell]
"""Raw values by the names of their columns."""

STRETCH = 168
"""Samples in a row that are shown: a week of hours."""

POINTS = 500
_QUOTED = 200
"""Characters of a row that an error repeats."""
_TRIES = 20
"""Validation rows that are drawn for an example without a category that the model does not know."""


class Regressor(Predictor[RegressionInfo, NoOptions]):
    """Answers rows from ``info`` alone, which says what the columns are and how they are scaled."""

    usage = 'a CSV file with a header, or rows: name=value,name=value or {"name": value}'
    asks = "row"
    label = "row"
    placeholder = "name=value,name=value, or a CSV file"

    def __init__(self, model: nn.Module, info: RegressionInfo, config: NoOptions) -> None:
        super().__init__(model, info, config)
        self._remarks: list[str] = []

    @property
    def _names(self) -> list[str]:
        return [column.name for column in self.info.columns]

    def read(self, arguments: Sequence[str]) -> list[object]:
        """Rows of the files and words given, in order; a file's columns may stand in any order, others are ignored."""
        table = self._read_lines(arguments)
        rows: list[object] = [*(table or [])]
        for word in arguments if table is None else ():
            rows += self._read_file(Path(word)) if _is_file(word) else [self.accept(word)]
        return rows

    def accept(self, value: object) -> object:
        """A row: an object of its columns, a list of values in their order, or text as the command line has it."""
        row = _read_row(text_of(value, "a row")) if isinstance(value, (str, bytes)) else value
        mapped = self._mapping(row, 1)
        self._encoded(RawTable.of_rows([mapped], self._names))
        return row

    def schema(self) -> Schema:
        columns = {column.name: _described(column) for column in self.info.columns}
        may_lack = [
            column.name for column in self.info.columns if isinstance(column, Number) and column.fill is not None
        ]
        question = fields(columns, may_lack)
        answer = fields({"prediction": {**NUMBER, "description": self._label}, "unit": TEXT})
        example: dict[str, Json] = {column.name: typical(column) for column in self.info.columns}
        return Schema(question=question, answer=answer, example=example)

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        """``prediction`` in the target's ``unit``. An input is a mapping column → value, or values in column order."""
        if not inputs:
            return []
        table = RawTable.of_rows([self._mapping(row, i) for i, row in enumerate(inputs, 1)], self._names)
        features = self._encoded(table)
        self._remarks += remarks(self.info.columns, table, features, self.info.missing_words)
        outputs = self.forward(torch.from_numpy(features))
        return [{"prediction": value, "unit": self.info.target.unit} for value in self._in_unit(outputs).tolist()]

    def notes(self) -> list[str]:
        """What was guessed and left out in files, what was filled, what is unlike anything trained on."""
        said, self._remarks = self._remarks, []
        return said

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        """What is predicted, under the target's name and unit."""
        rows = [[answer["prediction"]] for answer in answers]
        return [Table(name="predictions", headers=[self._label], rows=rows)]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Predicted against true, over a stretch of rows, the same each time, and as points drawn from all; and what
        each column is worth to the model."""
        if examples is None:
            return ()
        stretch = torch.arange(min(max(count, STRETCH), len(examples)))
        drawn = some_indices(len(examples), POINTS, rng)
        points = examples.take(drawn)
        bars = importance(self.forward, self.info, points, rng)
        return [self._curve(examples.take(stretch)), self._scatter(points), *bars]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """A validation row in its raw values; without the data, the mean of every number and each first category."""
        columns = self.info.columns
        cells = [typical(column) for column in columns] if examples is None else [OTHER]
        for _ in range(_TRIES):
            if examples is None or OTHER not in cells:
                break
            chosen = torch.from_numpy(rng.integers(len(examples), size=1))
            cells = decode_row(columns, examples.take(chosen)["features"][0].double().cpu())
        else:
            cells = [typical(column) for column in columns]
        return [_as_word(dict(zip(self._names, cells, strict=True)))]

    def _curve(self, batch: Batch) -> Curve:
        true, predicted = self._in_unit(batch["target"]), self._in_unit(self.forward(batch["features"]))
        ordered = self.info.ordered
        if not ordered:  # rows in no order of their own: by their true value
            order = true.argsort(stable=True)
            true, predicted = true[order], predicted[order]
        return Curve(
            name="curve",
            title=f"Validation: true and predicted, {len(true)} rows {'in time order' if ordered else 'by true value'}",
            x=list(range(len(true))),
            lines={"true": true.tolist(), "predicted": predicted.tolist()},
            x_label="row",
            y_label=self._label,
        )

    def _scatter(self, batch: Batch) -> Scatter:
        true, predicted = self._in_unit(batch["target"]), self._in_unit(self.forward(batch["features"]))
        return Scatter(
            name="scatter",
            title=f"Validation: predicted over true, {len(true)} rows",
            x=true.tolist(),
            y=predicted.tolist(),
            x_label=f"true {self._label}",
            y_label=f"predicted {self._label}",
        )

    @property
    def _label(self) -> str:
        target = self.info.target
        return f"{target.name} ({target.unit})" if target.unit else target.name

    def _in_unit(self, values: Tensor) -> Tensor:
        """Standardised [N,1] → the target's unit, float64 [N]."""
        target = self.info.target
        return values[:, 0].double() * target.std + target.mean

    def _read_file(self, path: Path) -> list[Row]:
        return self._rows(read_like(path, self.info.reading, self._names))

    def _read_lines(self, words: Sequence[str]) -> list[Row] | None:
        """Words that are the lines of a table, as standard input brings them; None if they are not."""
        delimiter = self.info.reading.delimiter or ","
        head = [name.strip().strip('"') for name in (words[0] if words else "").split(delimiter)]
        if len(words) < 2 or not set(self._names) <= set(head):
            return None
        return self._rows(parse_csv("\n".join(words), "input", self.info.reading.delimiter))

    def _rows(self, table: RawTable) -> list[Row]:
        self._remarks += table.notes
        self._encoded(table)  # here, where file and line of a bad value are known
        cells = zip(*(table.columns[name] for name in self._names), strict=True)
        return [dict(zip(self._names, row, strict=True)) for row in cells]

    def _encoded(self, table: RawTable) -> npt.NDArray[np.float32]:
        return encode(self.info.columns, table, self.info.missing_words)

    def _mapping(self, row: object, number: int) -> Row:
        if isinstance(row, Mapping):
            return row
        if isinstance(row, (str, bytes)) or not isinstance(row, (Sequence, np.ndarray)):
            raise DataError(f"row {number}: {row!r} is neither a mapping of columns nor a list of values")
        if len(row) != len(self._names):
            raise DataError(f"row {number} has {len(row)} values; the columns are: {', '.join(self._names)}")
        return dict(zip(self._names, row, strict=True))


def _described(column: Feature) -> JsonObject:
    """What a cell of a column may be: as a number, or as the table had it."""
    if isinstance(column, Category):
        known: list[Json] = [value for value in column.values if value]
        return {"enum": known} if column.unknown == "refuse" and "" not in column.values else {"examples": known}
    if isinstance(column, Date):
        return {**TEXT, "description": f"a date, {column.order}"}
    return {"type": ["number", "string", "null"], "description": f"about {column.mean:.4g} ± {column.std:.4g}"}


def _as_word(row: Mapping[str, str]) -> str:
    """``name=value,name=value``, or JSON where a name or a value would break that."""
    odd = any(sign in f"{name}{value}" for name, value in row.items() for sign in ",=") or not row
    if odd or next(iter(row)).startswith(("{", "[")):
        return json.dumps(row, ensure_ascii=False)
    return ",".join(f"{name}={value}" for name, value in row.items())


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
