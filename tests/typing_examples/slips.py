"""What a plugin's author may get wrong, each refused by a type checker: mypy would call an ``ignore`` without use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from sound import Heights, Tides, TidesConfig, TidesInfo, TidesPredictor
from torch import Tensor

from dlkit.data.splits import Split
from dlkit.image_predictor import ImagePredictor
from dlkit.predictor import Answer, Predictor
from dlkit.samples import Sample
from dlkit.task import Column, Info, Loss, Metrics, Task, together


class OtherInfo(Info):
    pass


class FieldOfInfo(Tides):
    def metrics(self, info: TidesInfo) -> Metrics[Tensor]:
        return Heights(info.size)  # type: ignore[attr-defined]


class InfoOfAnother(Tides):
    Info = OtherInfo  # type: ignore[assignment]


class MetricsOfAnother(Tides):
    def metrics(self, info: OtherInfo) -> Metrics[Tensor]:  # type: ignore[override]
        return Heights(1.0)


class OutputsOfAnother(Task[TidesInfo]):
    def metrics(self, info: TidesInfo) -> Metrics[Mapping[str, Tensor]]:
        return Heights(info.scale)  # type: ignore[return-value]


class BatchOfAnotherType(Heights):
    def update(self, outputs: Tensor, batch: Sequence[Tensor]) -> None:  # type: ignore[override]
        super().update(outputs, {"height": batch[0]})


class ColumnsOfAnotherType(Heights):
    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        batch["height"].values.mean()  # type: ignore[attr-defined]


class FiguresOfAnotherType(Tides):
    def metrics(self, info: TidesInfo) -> Metrics[Tensor]:
        return Texts()  # type: ignore[return-value]


class Texts:
    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        pass

    def compute(self) -> Mapping[str, str]:
        return {}


class Ranks(Heights):
    def gathered(self) -> Tensor:
        return together(self._rows, lambda rows: rows)  # type: ignore[arg-type, return-value]


class Declared(Tides):
    batch = {"hour": "float32[N]"}  # type: ignore[dict-item]
    inputs = ("hour", 1)  # type: ignore[assignment]
    outputs = [Column("float32[N]")]  # type: ignore[assignment]


class WithoutInfo(Task):  # type: ignore[type-arg]
    pass


class FieldOfConfig(TidesPredictor):
    def predict(self, inputs: Sequence[Any]) -> list[Answer]:
        return [{"height": round(1.0, self.config.decimals)}]  # type: ignore[attr-defined]


class FieldOfInfoAgain(TidesPredictor):
    def predict(self, inputs: Sequence[Any]) -> list[Answer]:
        return [{"harbour": self.info.harbour}]  # type: ignore[attr-defined]


class Answers(TidesPredictor):
    def predict(self, inputs: Sequence[Any]) -> list[Answer]:
        return ["high"]  # type: ignore[list-item]


class OptionsOfAnother(Predictor[TidesInfo, TidesInfo]):  # type: ignore[type-var]
    pass


class OfNoImages(ImagePredictor[TidesInfo, TidesConfig]):  # type: ignore[type-var]
    pass


class Samples(TidesPredictor):
    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        return examples.take(torch.arange(count))  # type: ignore[return-value, union-attr]


def of_a_tensor(config: TidesConfig, info: TidesInfo) -> Loss[Tensor]:
    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        return outputs.mean()

    return loss  # type: ignore[return-value]


def of_outputs_by_name(config: TidesConfig, info: TidesInfo) -> Loss[Tensor]:
    def loss(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": outputs["height"].mean()}

    return loss  # type: ignore[return-value]
