"""What the toy plugin's components are made of: torch."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.config import Config
from dlkit.data.context import Context
from dlkit.data.splits import Augment, Batch, Data, MapSplit, Split, TensorSplit
from dlkit.errors import DataError
from dlkit.portable import Portable
from dlkit.question_schema import NUMBER, Schema, fields, several, told
from dlkit.samples import Sample, Table
from dlkit.use import Answer, Predictor
from toy_options import FaultyConfig, LinearConfig, PlaneConfig, ToyInfo

SLOPES = (1.0, -2.0, 0.5)
OFFSET = 0.25


def build_plane(config: PlaneConfig, context: Context) -> Data:
    gate = os.environ.get("TOY_GATE")
    while gate and not Path(gate).exists():  # data that take their time
        time.sleep(0.01)
    generator = np.random.default_rng(7)

    def split(count: int) -> TensorSplit:
        x = generator.normal(size=(count, len(SLOPES))).astype(np.float32)
        y = x @ np.array(SLOPES, np.float32) + OFFSET + config.noise * generator.normal(size=count)
        return TensorSplit({"x": torch.from_numpy(x), "y": torch.from_numpy(y.astype(np.float32))})

    train: Split = split(config.points)
    if config.mapped:
        train = OneByOne(train, config.noise)
    info = {"features": len(SLOPES), "offset": OFFSET}
    augment = Jitter(config.jitter) if config.jitter else None
    return Data(train=train, val=split(40), test=split(40), info=info, augment=augment)


class Jitter(Augment):
    """Adds noise to x."""

    def __init__(self, deviation: float) -> None:
        self.deviation = deviation

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Any]:
        return {"shift": rng.normal(0, self.deviation, size=(count, len(SLOPES))).astype(np.float32)}

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        return {**batch, "x": batch["x"] + drawn["shift"]}


class OneByOne(MapSplit):
    """Another split's samples, made one by one, in training with noise of their own."""

    def __init__(self, split: Split, deviation: float) -> None:
        super().__init__()
        self.source, self.deviation = split, deviation

    def __len__(self) -> int:
        return len(self.source)

    def sample(self, index: int, rng: np.random.Generator | None) -> Mapping[str, Any]:
        row = {name: column[0] for name, column in self.source.take(torch.tensor([index])).items()}
        if rng is not None:
            row["x"] = row["x"] + torch.from_numpy(rng.normal(0, self.deviation, 3).astype(np.float32))
        return row

    def fingerprint(self) -> str:
        return self.source.fingerprint()


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


class Faulty(Plane):
    """Works in evaluation, and for some steps of training."""

    def __init__(self, features: int, config: FaultyConfig) -> None:
        super().__init__(features, config)
        self.left = config.good_steps

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.left -= 1
            assert 1 / (self.left + 1)
        return super().forward(x)


def build_faulty(config: FaultyConfig, info: ToyInfo) -> nn.Module:
    return Faulty(info.features, config)


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

    def reduce(self, over_ranks: Callable[[Tensor | None], Tensor | None]) -> None:
        total, count = over_ranks(torch.as_tensor(self.total)), over_ranks(torch.tensor(self.count))
        assert total is not None and count is not None
        self.total, self.count = total, int(count)

    def compute(self) -> Mapping[str, float]:
        return {"mse": float(self.total) / self.count}


class ValuesPredictor(Predictor[ToyInfo, Config]):
    """Rows of three numbers → y."""

    usage = "rows of three numbers: 1,2,3"

    def accept(self, value: object) -> list[float]:
        cells = value.split(",") if isinstance(value, str) else value
        if not isinstance(cells, list):
            raise DataError(f"a row is a list of numbers, not {told(value)}")
        try:
            row = [float(cell) for cell in cells]
        except (TypeError, ValueError) as error:
            raise DataError(f"not a row of numbers: {error}") from error
        if len(row) != self.info.features:
            raise DataError(f"row {row} has {len(row)} numbers, not {self.info.features}")
        return row

    def schema(self) -> Schema:
        count = self.info.features
        question = {**several(NUMBER), "minItems": count, "maxItems": count}
        return Schema(question=question, answer=fields({"y": NUMBER}), example=[1.0, 2.0, 3.0])

    def portable(self) -> Portable:
        return Portable(super().portable().graphs, {"features": self.info.features})

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        if examples is None:
            return []
        rows = examples.take(torch.from_numpy(rng.integers(len(examples), size=2)))["x"]
        return [",".join(map(str, row)) for row in rows.tolist()]

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
