"""The same networks over points of the plane, for the task ``points``: they say more of themselves, to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from dlkit.config import NoOptions
from dlkit.nn.trace import Trace
from dlkit_scratch.models import mlp_of_sizes
from dlkit_scratch.network import Network, zeros
from dlkit_scratch.options import MlpConfig


class PlaneInfo(Protocol):
    """What is needed of the task's ``info``."""

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes."""


class PlaneNetwork(Network):
    """point [N,2] → [N,classes]. ``decides`` says how scores become shares (``"step"``, ``"sigmoid"``, ``"softmax"``),
    ``straight`` whether lines are all it draws, and ``trace`` keeps the way of its weights."""

    def __init__(self, network: Network, decides: str) -> None:
        super().__init__(list(network.layers), network.dropout)  # type: ignore[arg-type]
        self.decides = decides
        self.straight = len(self.layers) == 1
        self.trace = Trace(sum(p.numel() for p in self.layers.parameters()))

    def units(self, point: Tensor) -> list[Tensor]:
        """The values of each hidden layer's units at points [N,2]: tensors [N,units]."""
        found = []
        for layer in self.layers[:-1]:
            point = layer(point)
            found.append(point)
        return found


def perceptron(config: NoOptions, info: PlaneInfo) -> PlaneNetwork:
    """Rosenblatt's units, one a class."""
    return PlaneNetwork(zeros(2, len(info.classes)), "step")


def logistic(config: NoOptions, info: PlaneInfo) -> PlaneNetwork:
    """A sigmoid a class."""
    return PlaneNetwork(zeros(2, len(info.classes)), "sigmoid")


def softmax(config: NoOptions, info: PlaneInfo) -> PlaneNetwork:
    """The softmax over the classes."""
    return PlaneNetwork(zeros(2, len(info.classes)), "softmax")


def mlp(config: MlpConfig, info: PlaneInfo) -> PlaneNetwork:
    """Hidden layers, and the softmax over the classes."""
    return PlaneNetwork(mlp_of_sizes(config, 2, len(info.classes)), "softmax")
