"""Networks of the first lessons: one layer of units that step, or slide, and layers of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from dlkit.nn.activations import ACTIVATIONS
from dlkit.nn.trace import Trace
from dlkit_points.info import PointsInfo
from dlkit_points.options import LinearConfig, MlpConfig

INPUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "x": lambda p: p[:, 0],
    "y": lambda p: p[:, 1],
    "xx": lambda p: p[:, 0].square(),
    "yy": lambda p: p[:, 1].square(),
    "xy": lambda p: p[:, 0] * p[:, 1],
    "sinx": lambda p: torch.sin(3 * p[:, 0]),
    "siny": lambda p: torch.sin(3 * p[:, 1]),
}
"""What a model may see of a point."""


class Net(nn.Module):
    """point [N,2] → scores [N,classes]. Of two classes there may be one output unit z: the scores are then (−z, z).

    While it is trained it keeps, in its state, the way that its weights have come.
    """

    def __init__(self, sizes: Sequence[int], inputs: Sequence[str], decides: str, activation: str = "tanh") -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(sizes))
        self.activation = ACTIVATIONS[activation]()
        self.inputs, self.decides = tuple(inputs), decides
        self.straight = len(self.layers) == 1 and set(inputs) <= {"x", "y"}
        self.trace = Trace(sum(p.numel() for p in self.layers.parameters()))

    def forward(self, point: Tensor) -> Tensor:
        if self.training and not torch.compiler.is_exporting():
            self.trace.record(list(self.layers.parameters()))
        *_, scores = self._values(point)
        return torch.cat([-scores, scores], 1) if scores.shape[1] == 1 else scores

    def units(self, point: Tensor) -> list[Tensor]:
        """The values of each hidden layer's units at points [N,2]: tensors [N,units]."""
        return self._values(point)[:-1]

    def _values(self, point: Tensor) -> list[Tensor]:
        x = point if self.inputs == ("x", "y") else torch.stack([INPUTS[name](point) for name in self.inputs], 1)
        found = []
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
            found.append(x)
        return [*found, self.layers[-1](x)]


def perceptron(config: LinearConfig, info: PointsInfo) -> Net:
    """Units that say 1 where their sum is above 0, one a class; of two classes one. They start at 0."""
    return _linear(config, info, "step", single=True)


def logistic(config: LinearConfig, info: PointsInfo) -> Net:
    """The same with the sigmoid in the place of the step."""
    return _linear(config, info, "sigmoid", single=True)


def softmax(config: LinearConfig, info: PointsInfo) -> Net:
    """A unit a class, and the softmax over them."""
    return _linear(config, info, "softmax", single=False)


def mlp(config: MlpConfig, info: PointsInfo) -> Net:
    """Layers of hidden units, then as softmax. Weights start as torch has them, from the engine's seed."""
    sizes = [len(config.inputs), *config.hidden, len(info.classes)]
    return Net(sizes, config.inputs, "softmax", config.activation)


def _linear(config: LinearConfig, info: PointsInfo, decides: str, *, single: bool) -> Net:
    outputs = 1 if single and len(info.classes) == 2 else len(info.classes)
    net = Net([len(config.inputs), outputs], config.inputs, decides)
    for parameter in net.layers.parameters():  # what is convex, or a perceptron, needs no random start
        nn.init.zeros_(parameter)
    return net
