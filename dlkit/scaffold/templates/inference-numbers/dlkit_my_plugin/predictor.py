"""How the trained model is asked, and what people see of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np
import torch
from dlkit.data.splits import Split
from dlkit.errors import DataError
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import NUMBER, Schema, fields, several
from dlkit.samples import Curve, Sample, Table
from dlkit_regression.info import RegressionInfo
from dlkit_regression.task import Regression
from torch import Tensor, nn

from dlkit_my_plugin.options import Options

LOOKED_AT, SHOWN = 500, 8
"""Validation samples whose outputs are drawn; and numbers of an output that are columns of a table."""


class Numbers(Predictor[RegressionInfo, Options]):
    """``features`` as the model sees it, encoded: numbers with commas between, or a list of them."""

    usage = "the model's input as numbers: 0.5,-1.2,…"
    asks, label = "row", "features"

    def __init__(self, model: nn.Module, info: RegressionInfo, config: Options) -> None:
        super().__init__(model, info, config)
        contract = Regression()
        (self._key,), sizes = contract.inputs, contract.axes(info)
        axes = contract.batch[self._key].axes[1:]
        self._shape = [int(axis) if axis.isdigit() else sizes[axis] for axis in axes]
        self.placeholder = f"{prod(self._shape)} numbers, with commas between"

    def accept(self, value: object) -> list[float]:
        try:
            given = np.array(value.split(",") if isinstance(value, str) else value, np.float64)
        except (TypeError, ValueError, OverflowError):
            given = np.zeros(0)
        kinds = {type(cell) for cell in value} if isinstance(value, list) else set()
        if given.shape != (prod(self._shape),) or not np.isfinite(given).all() or kinds & {bool, str}:
            raise DataError(f"an input is a list of {prod(self._shape)} numbers, not {value!r}")
        return [float(number) for number in given]

    def schema(self) -> Schema:
        count = prod(self._shape)
        question = {**several(NUMBER), "minItems": count, "maxItems": count}
        return Schema(question=question, answer=fields({"outputs": several(NUMBER)}), example=[0.0] * count)

    def predict(self, inputs: Sequence[list[float]]) -> list[Answer]:
        """``outputs``: the model's, as the task declares them, row by row."""
        if not inputs:
            return []
        given = torch.tensor(inputs, dtype=torch.float32).reshape(-1, *self._shape)
        return [{"outputs": row} for row in self._rounded(self.forward(given))]

    def show(self, inputs: Sequence[list[float]], answers: Sequence[Answer]) -> Sequence[Sample]:
        return [self._table("predictions", [answer["outputs"] for answer in answers])]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Outputs for the first validation samples, and all outputs in the order of their first number."""
        if examples is None:  # a checkpoint without its data
            return ()
        batch = examples.take(torch.arange(min(len(examples), LOOKED_AT)))
        rows = self._rounded(self.forward(batch[self._key]))
        ordered = sorted(row[0] for row in rows)
        curve = Curve(name="outputs", title="Outputs, in order", x=list(range(len(rows))), lines={"output": ordered})
        return [curve, self._table("first", rows[: max(1, count)])]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        if examples is None:
            return [",".join(["0"] * prod(self._shape))]
        (chosen,) = examples.take(torch.from_numpy(rng.integers(len(examples), size=1)))[self._key].flatten(1).tolist()
        return [",".join(f"{number:.6g}" for number in chosen)]

    def _rounded(self, outputs: Tensor) -> list[list[float]]:
        rows = outputs.reshape(len(outputs), -1).double().tolist()
        return [[round(number, self.config.digits) for number in row] for row in rows]

    def _table(self, name: str, rows: Sequence[Sequence[float]]) -> Table:
        shown = [row[:SHOWN] for row in rows]
        headers = [f"output {number}" for number in range(1, 1 + max(map(len, shown), default=0))]
        return Table(name=name, headers=headers, rows=shown)
