"""A task as a plugin would write it, which a type checker accepts: see ``slips.py`` for what it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from dlkit.config import Config, NoOptions
from dlkit.data.images import Fit
from dlkit.data.splits import Split
from dlkit.image_predictor import ImagePredictor
from dlkit.metrics.total import Total
from dlkit.predictor import Answer, Predictor
from dlkit.samples import Sample, Text
from dlkit.task import Array, Column, Info, Loss, Metrics, OverRanks, Task, together


class TidesInfo(Info):
    harbours: list[str] = Field(description="names")
    scale: float = Field(1.0, description="metres")


class TidesConfig(Config):
    digits: int = Field(2, description="decimals of an answer")


class Heights:
    """Metrics of a model that returns a tensor."""

    def __init__(self, scale: float) -> None:
        self._scale, self._error = scale, Total()
        self._rows: Tensor | None = None

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        self._error.add((outputs - batch["height"]).abs().mean())
        self._rows = outputs[:, None]

    def reduce(self, over_ranks: OverRanks) -> None:
        self._error.reduce(over_ranks)
        self._rows = together(self._rows, over_ranks)

    def compute(self) -> Mapping[str, float]:
        return {"error": sum(self._error.numbers()) * self._scale}


class Tides(Task[TidesInfo]):
    Info = TidesInfo
    batch = {"hour": Column("float32[N]"), "height": Column("float32[N]")}
    inputs = ("hour",)
    outputs = Column("float32[N]")

    def metrics(self, info: TidesInfo) -> Metrics[Tensor]:
        return Heights(info.scale)

    def preview(self, info: TidesInfo, split: Split, count: int) -> Sequence[Sample]:
        return [Text(name="harbours", text=", ".join(info.harbours[:count]))]


class TidesPredictor(Predictor[TidesInfo, TidesConfig]):
    def read(self, arguments: Sequence[str]) -> list[float]:
        return [float(word) for word in arguments]

    def predict(self, inputs: Sequence[Any]) -> list[Answer]:
        heights: list[float] = self.forward(torch.tensor(inputs)).tolist()
        return [{self.info.harbours[0]: round(height, self.config.digits)} for height in heights]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        return ()


def mean_error(config: TidesConfig, info: TidesInfo) -> Loss[Tensor]:
    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": (outputs - batch["height"]).square().mean()}

    return loss


class ChartInfo(Info):
    shape: tuple[int, int, int] = Field((1, 8, 8), description="channels, height, width")
    fit: Fit = Field("crop", description="how an image of another shape is brought to this one")
    mean: Array = Field(description="float32 [C]")
    std: Array = Field(description="float32 [C]")


class Charts(ImagePredictor[ChartInfo, NoOptions]):
    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        return [{"width": self.info.shape[2]} for _ in inputs]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        return ()
