"""What the plugin ``stackable`` is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from dlkit.config import Config
from dlkit.data.context import Context
from dlkit.data.splits import Batch, Data, Split, TensorSplit
from dlkit.nn.layers import hidden_layers
from dlkit.task import Column
from dlkit.use import Answer
from toy_options import PlaneConfig, ToyInfo, ToyTask
from toy_parts import ValuesPredictor, build_plane


class NetworkConfig(Config):
    """Of all networks here."""

    hidden: list[int] = Field([8], description="Units of each hidden layer")
    activation: Literal["relu", "gelu", "silu", "tanh", "sigmoid"] = Field("relu", description="Of hidden layers")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of hidden units left out at a step")
    init: Literal["default", "small"] = Field("default", description="What weights begin as")


class Toy64Task(ToyTask):
    """x [N,D] → y [N], in float64."""

    batch = {"x": Column("float64[N,D]"), "y": Column("float64[N]")}
    outputs = Column("float64[N]")


def build_plane64(config: PlaneConfig, context: Context) -> Data:
    made = build_plane(config, context)
    doubled = {name: _doubled(split) for name, split in made.splits.items()}
    info = {**made.info, "extra": {"stackable.float64": True}}
    return Data(train=doubled["train"], val=doubled["val"], test=doubled["test"], info=info, augment=made.augment)


def _doubled(split: Split) -> TensorSplit:
    assert isinstance(split, TensorSplit)
    columns = {name: column for name, column in split.columns.items() if isinstance(column, Tensor)}
    return TensorSplit({name: column.double() for name, column in columns.items()})


def _made(config: NetworkConfig, info: ToyInfo, norm: Literal["none", "batch"] = "none") -> nn.Sequential:
    """x [N,D] → [N]."""
    hidden = hidden_layers(info.features, config.hidden, config.activation, norm=norm, dropout=config.dropout)
    model = nn.Sequential(*hidden, nn.Linear([info.features, *config.hidden][-1], 1), nn.Flatten(0))
    if config.init == "small":
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(0.1)
    return model.double() if "stackable.float64" in info.extra else model


def build_layers(config: NetworkConfig, info: ToyInfo) -> nn.Module:
    return _made(config, info)


def build_normed(config: NetworkConfig, info: ToyInfo) -> nn.Module:
    return _made(config, info, norm="batch")


class Gated(nn.Module):
    """A network, and how much of its inputs' sum is added to it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.gate = nn.Parameter(torch.zeros((), dtype=next(inner.parameters()).dtype))

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + torch.sigmoid(self.gate) * x.sum(1)


def build_gated(config: NetworkConfig, info: ToyInfo) -> nn.Module:
    return Gated(_made(config, info))


class Deciding(Gated):
    """Does otherwise where its outputs are large."""

    def forward(self, x: Tensor) -> Tensor:
        found = super().forward(x)
        return found if found.abs().max() < 1e3 else found / 2


def build_deciding(config: NetworkConfig, info: ToyInfo) -> nn.Module:
    return Deciding(_made(config, info))


class Counting(Gated):
    """Counts its passes in training."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__(inner)
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.get_buffer("passes").add_(1)
        return super().forward(x)


def build_counting(config: NetworkConfig, info: ToyInfo) -> nn.Module:
    return Counting(_made(config, info))


def build_read(config: object, info: ToyInfo) -> Callable[[Tensor, Batch], Mapping[str, Tensor]]:
    """Squared error, halved where its value is large: no function that can be followed for all rows at once."""

    def loss(outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        error = nn.functional.mse_loss(outputs, batch["y"])
        return {"loss": error if float(error.detach()) < 1e6 else error / 2}

    return loss


class Values64Predictor(ValuesPredictor):
    """The same in float64."""

    def predict(self, inputs: Sequence[Any]) -> list[Answer]:
        return [{"y": value} for value in self.forward(torch.tensor(inputs, dtype=torch.float64)).tolist()]
