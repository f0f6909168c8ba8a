"""What the toy plugin's components are made of: torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from toy_options import LinearConfig, PlaneConfig, ToyInfo

from dlkit.data.context import Context
from dlkit.data.splits import Batch, Data, Split, TensorSplit
from dlkit.errors import DataError
from dlkit.inference import Answer, Predictor
from dlkit.samples import Sample, Table

SLOPES = (1.0, -2.0, 0.5)
OFFSET = 0.25


def build_plane(config: PlaneConfig, context: Context) -> Data:
    generator = np.random.default_rng(7)

    def split(count: int) -> TensorSplit:
        x = generator.normal(size=(count, len(SLOPES))).astype(np.float32)
        y = x @ np.array(SLOPES, np.float32) + OFFSET + config.noise * generator.normal(size=count)
        return TensorSplit({"x": torch.from_numpy(x), "y": torch.from_numpy(y.astype(np.float32))})

    info = {"features": len(SLOPES), "offset": OFFSET}
    return Data(train=split(config.points), val=split(40), test=split(40), info=info)


class Plane(nn.Module):
    """x [N,D] → [N]."""

    def __init__(self, features: int, config: LinearConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.linear = nn.Linear(features, 1, bias=config.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.dropout(x)).squeeze(1)


def build_linear(config: LinearConfig, info: ToyInfo) -> nn.Module:
    return Plane(info.features, config)


def build_mse(config: Any, info: ToyInfo) -> Callable[[Tensor, Batch], Mapping[str, Tensor]]:
    return lambda outputs, batch: {"loss": nn.functional.mse_loss(outputs, batch["y"])}


class SquaredError:
    """Mean squared error over a split, summed on the device."""

    def __init__(self) -> None:
        self.total: Tensor | float = 0.0
        self.count = 0

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        self.total = self.total + (outputs - batch["y"]).square().sum()
        self.count += len(outputs)

    def compute(self) -> Mapping[str, float]:
        return {"mse": float(self.total) / self.count}


class ValuesPredictor(Predictor):
    """Rows of three numbers → y."""

    usage = "rows of three numbers: 1,2,3"

    def read(self, arguments: Sequence[str]) -> list[Any]:
        try:
            rows = [[float(cell) for cell in row.split(",")] for row in arguments]
        except ValueError as error:
            raise DataError(f"not a row of numbers: {error}") from error
        wrong = next((row for row in rows if len(row) != self.info.features), None)
        if wrong is not None:
            raise DataError(f"row {wrong} has {len(wrong)} numbers, not {self.info.features}")
        return rows

    def predict(self, inputs: Sequence[Any]) -> list[Answer]:
        return [{"y": value} for value in self.forward(torch.tensor(inputs, dtype=torch.float32)).tolist()]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        if examples is None:
            raise DataError("samples of this task need the validation split")
        chosen = torch.from_numpy(rng.permutation(len(examples))[:count])
        batch = examples.take(chosen)
        answers = self.forward(batch["x"]).tolist()
        rows = [[true, found] for true, found in zip(batch["y"].tolist(), answers, strict=True)]
        return [Table(name="rows", title="true and predicted", headers=["true", "predicted"], rows=rows)]
