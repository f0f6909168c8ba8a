"""What the plugin planted to disturb is made of: torch."""

from __future__ import annotations

import dataclasses
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.data.context import Context
from dlkit.data.splits import Augment, Batch, Data, Split, TensorSplit
from dlkit.engine.supervised import SupervisedTrainer
from dlkit.engine.trainer import Setup
from dlkit.predictor import Answer
from dlkit.samples import Curve, Sample, Table, Text
from toy_options import PlaneConfig, ToyInfo
from toy_parts import ValuesPredictor, build_plane
from unruly_options import UnrulyConfig


def build_data(config: UnrulyConfig, context: Context) -> Data:
    data = build_plane(PlaneConfig(), context)
    if config.way in AUGMENTS:
        return dataclasses.replace(data, augment=AUGMENTS[config.way]())
    x, y = torch.zeros(8, 3), torch.zeros(8)
    match config.way:
        case "raises":
            raise ZeroDivisionError("no data")
        case "exits":
            sys.exit("no data")
        case "train lacks y":
            return dataclasses.replace(data, train=TensorSplit({"x": x}))
        case "val lacks y":
            return dataclasses.replace(data, val=TensorSplit({"x": x}))
        case "val is misshapen":
            return dataclasses.replace(data, val=TensorSplit({"x": x, "y": y[:, None]}))
        case "val has other features":
            return dataclasses.replace(data, val=TensorSplit({"x": torch.zeros(8, 5), "y": y}))
        case "info is wrong":
            return dataclasses.replace(data, info={"features": "three"})
    raise AssertionError(config.way)


class Changed(Augment):
    """Leaves the batch as it is; subclasses do not."""

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, Any]:
        return {"shift": rng.normal(size=(count, 3)).astype(np.float32)}

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        return batch


class Raises(Changed):
    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        raise KeyError("image")


class DrawsALine(Changed):
    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, Any]:
        return {"shift": [0.0] * count}


class DrawsTooFew(Changed):
    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, Any]:
        return {"shift": rng.normal(size=count - 1)}


class Drops(Changed):
    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        return {"x": batch["x"]}


class Doubles(Changed):
    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        return {**batch, "x": batch["x"].double()}


class Repeats(Changed):
    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        return {name: torch.cat([column, column]) for name, column in batch.items()}


class Forgets(Changed):
    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        return None  # type: ignore[return-value]  # what is forgotten most


AUGMENTS: dict[str, type[Augment]] = {
    "augmentation raises": Raises,
    "augmentation draws a list": DrawsALine,
    "augmentation draws too few": DrawsTooFew,
    "augmentation drops y": Drops,
    "augmentation changes the type": Doubles,
    "augmentation changes the number": Repeats,
    "augmentation returns nothing": Forgets,
}


class Misshapen(nn.Module):
    """x [N,3] → what ``shape`` makes of it."""

    def __init__(self, shape: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 1)
        self.shape = shape

    def forward(self, x: Tensor) -> Any:
        return self.shape(self.linear(x))


def _raise(_: Tensor) -> Tensor:
    raise ZeroDivisionError("no outputs")


SHAPES: dict[str, Callable[[Tensor], Any]] = {
    "outputs raise": _raise,
    "outputs have an axis too many": lambda y: y,
    "outputs have another type": lambda y: y[:, 0].long(),
    "outputs of other samples": lambda y: y.repeat(2, 1)[:, 0],
    "outputs are text": lambda y: "much",
    "outputs are none": lambda y: None,
}


def build_model(config: UnrulyConfig, info: ToyInfo) -> nn.Module:
    if config.way in SHAPES:
        return Misshapen(SHAPES[config.way])
    if config.way == "raises":
        raise ZeroDivisionError("no model")
    assert config.way == "is a function"
    return lambda x: x  # type: ignore[return-value]  # the wrong type on purpose


def _raising(outputs: Tensor, batch: Batch) -> Any:
    raise ValueError("no loss\nin two lines")


LOSSES: dict[str, Callable[[Tensor, Batch], Any]] = {
    "raises when called": _raising,
    "is a tensor": lambda outputs, batch: outputs.mean(),
    "lacks loss": lambda outputs, batch: {"mse": outputs.mean()},
    "is a vector": lambda outputs, batch: {"loss": outputs},
    "is a number": lambda outputs, batch: {"loss": 0.5},
    "has no gradient": lambda outputs, batch: {"loss": outputs.detach().mean()},
    "records a vector": lambda outputs, batch: {"loss": outputs.mean(), "each": outputs},
}


class Counting(nn.Module):
    """A loss that draws, counts its calls and changes outputs in place: sound, unless somebody else calls it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        self.calls += 1
        outputs.clamp_(-10, 10)
        error = nn.functional.mse_loss(outputs, batch["y"])
        return {"loss": error * (1 + torch.rand(())) * (1 + random.random() + np.random.random())}


class Weighing:
    """A loss of two parts that is sound, but for what it may say of them."""

    def __init__(self, **said: Any) -> None:
        vars(self).update(said)

    def __call__(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        error = (outputs - batch["y"]).square().mean()
        near = 4 * error / error.detach()
        return {"loss": 3 * near, "near": near, "far": 2 * near}


def _uncounted(batch: Batch, model: nn.Module) -> Any:
    raise KeyError("weight")


def _sum_of(parts: Mapping[str, Tensor]) -> Tensor:
    return parts["near"] + parts["far"]


WEIGHINGS: dict[str, dict[str, Any]] = {
    "counts cannot be called": {"counts": 7},
    "counts raise": {"counts": _uncounted},
    "counts an int": {"counts": lambda batch, model: len(batch["y"])},
    "counts nothing": {"counts": lambda batch, model: None},
    "counts each sample": {"counts": lambda batch, model: batch["y"]},
    "counts below zero": {"counts": lambda batch, model: torch.tensor(-1.0)},
    "counts not a number": {"counts": lambda batch, model: {"far": torch.tensor(float("nan"))}},
    "counts without end": {"counts": lambda batch, model: {"far": torch.tensor(float("inf"))}},
    "counts a stranger": {"counts": lambda batch, model: {"further": torch.tensor(2)}},
    "counts a list": {"counts": lambda batch, model: {"far": [2]}},
    "counts all parts": {"counts": lambda batch, model: torch.tensor(len(batch["y"])), "total": _sum_of},
    "counts one part": {"counts": lambda batch, model: {"far": (batch["y"] > 1e9).sum()}, "total": _sum_of},
    "total cannot be called": {"total": 3.0},
    "total raises": {"total": lambda parts: parts["furthest"]},
    "total is a number": {"total": lambda parts: 1.5},
    "total is a vector": {"total": lambda parts: torch.stack([*parts.values()])},
    "total has no gradient": {"total": lambda parts: _sum_of(parts).detach()},
    "total of other parts": {"total": lambda parts: parts["near"] + 2 * parts["far"]},
    "total is not linear": {"total": lambda parts: _sum_of(parts).square() / 12},
}
"""What ``counts`` and ``total`` may say: "all parts" and "one part" are sound."""


def build_loss(config: UnrulyConfig, info: ToyInfo) -> Callable[[Tensor, Batch], Any]:
    if config.way == "is sound":
        return Counting()
    if config.way == "raises":
        raise ZeroDivisionError("no loss")
    if config.way == "cannot be called":
        return None  # type: ignore[return-value]  # the wrong type on purpose
    return Weighing(**WEIGHINGS[config.way]) if config.way in WEIGHINGS else LOSSES[config.way]


class UnrulyTrainer(SupervisedTrainer):
    def __init__(self, setup: Setup) -> None:
        raise ZeroDivisionError("no trainer")


class Unruly(ValuesPredictor):
    config: UnrulyConfig

    def __init__(self, model: nn.Module, info: ToyInfo, config: UnrulyConfig) -> None:
        super().__init__(model, info, config)
        if self.config.way == "raises":
            raise ZeroDivisionError("no predictor")

    def predict(self, inputs: Sequence[Any]) -> list[Answer]:
        if self.config.way == "predict raises":
            raise ZeroDivisionError("no answer")
        if self.config.way == "predict exits":
            sys.exit("no answer")
        return super().predict(inputs)

    def show(self, inputs: Sequence[Any], answers: Sequence[Answer]) -> Sequence[Sample]:
        if self.config.way == "show raises":
            raise ZeroDivisionError("no picture")
        if self.config.way == "shows a ragged table":
            return [RAGGED]
        return super().show(inputs, answers)

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        torch.rand(3)  # which must not move what training draws
        good = super().samples(count, rng, examples)
        match self.config.way:
            case "samples raise":
                raise ZeroDivisionError("no samples\nin two lines")
            case "samples exit":
                sys.exit("no samples")
            case "samples are none":
                return None  # type: ignore[return-value]  # what is forgotten most
        return [*good, *SAMPLES.get(self.config.way, ())]


RAGGED = Table(name="ragged", headers=["a", "b"], rows=[[1]])
SAMPLES: dict[str, list[Any]] = {
    "two samples of one name": [Table(name="rows", headers=["a"], rows=[])],
    "a ragged table": [RAGGED],
    "a short curve": [Curve(name="fit", x=[0, 1], lines={"found": [1]})],
    "a name with a slash": [Text(name="../../out", text="")],
    "a stranger": ["text"],
    "a tensor in a cell": [Table(name="odd", headers=["a"], rows=[[torch.ones(1)]])],  # type: ignore[list-item]
}
