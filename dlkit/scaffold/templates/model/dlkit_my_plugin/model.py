"""The network. It learns the sizes of its input and output from the task's contract."""

from __future__ import annotations

from math import prod

from dlkit.task import Column
from dlkit_classification.info import ClassificationInfo
from dlkit_classification.task import Classification
from torch import Tensor, nn

from dlkit_my_plugin.options import Options


def build(config: Options, info: ClassificationInfo) -> nn.Module:
    """image float32[N,C,H,W] → float32[N,classes]."""
    task = Classification()
    assert isinstance(task.outputs, Column)
    sizes = task.axes(info)
    inputs, outputs = (
        [int(axis) if axis.isdigit() else sizes[axis] for axis in column.axes[1:]]
        for column in (task.batch[task.inputs[0]], task.outputs)
    )
    return Layers(prod(inputs), outputs, config)


class Layers(nn.Module):
    """float32 [N,…] with ``inputs`` numbers a sample → float32 [N, *outputs]."""

    def __init__(self, inputs: int, outputs: list[int], config: Options) -> None:
        super().__init__()
        self.outputs = outputs
        self.enter = nn.Linear(inputs, config.width)
        self.hidden = nn.ModuleList(nn.Linear(config.width, config.width) for _ in range(config.depth))
        self.dropout = nn.Dropout(config.dropout)
        self.leave = nn.Linear(config.width, prod(outputs))

    def forward(self, values: Tensor) -> Tensor:
        x = self.enter(values.flatten(1))
        for layer in self.hidden:
            x = x + self.dropout(layer(nn.functional.gelu(x)))
        found: Tensor = self.leave(x)
        return found.reshape(-1, *self.outputs)
