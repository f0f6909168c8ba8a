"""``regressor``: predicts a row of raw values, and shows predictions against what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.config import NoOptions
from dlkit.data.splits import Batch, Split
from dlkit.json_types import Json, JsonObject
from dlkit.metrics.selection import some_indices
from dlkit.portable import Portable
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import NUMBER, TEXT, Schema, fields
from dlkit.samples import Curve, Sample, Scatter, Table
from dlkit_regression.columns import Category, Date, Number
from dlkit_regression.encoding import OTHER, decode_row, typical
from dlkit_regression.importance import importance
from dlkit_regression.info import Feature, RegressionInfo
from dlkit_regression.rows import Rows

STRETCH = 168
"""Samples in a row that are shown: a week of hours."""

POINTS = 500
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
        self._rows = Rows(info.columns, info.missing_words, info.reading)

    @property
    def _names(self) -> list[str]:
        return self._rows.names

    def read(self, arguments: Sequence[str]) -> list[object]:
        """Rows of the files and words given, in order; a file's columns may stand in any order, others are ignored."""
        return self._rows.read(arguments)

    def accept(self, value: object) -> object:
        """A row: an object of its columns, a list of values in their order, or text as the command line has it."""
        return self._rows.accept(value)

    def portable(self) -> Portable:
        known = self.info.model_dump(include={"columns", "target", "reading", "missing_words"})
        return Portable(super().portable().graphs, known)

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
        outputs = self.forward(torch.from_numpy(self._rows.features(inputs)))
        return [{"prediction": value, "unit": self.info.target.unit} for value in self._in_unit(outputs).tolist()]

    def notes(self) -> list[str]:
        """What was guessed and left out in files, what was filled, what is unlike anything trained on."""
        return self._rows.notes()

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
