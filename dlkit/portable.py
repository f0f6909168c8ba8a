"""``Portable``: what of a trained model leaves dlkit: its networks, and what the answering beside them must know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor, nn

from dlkit.answering import Given, RunGraph
from dlkit.errors import PluginError
from dlkit.task import AnyTask, Info

BATCH = "N"
"""The axis of samples: any size."""


class Draw(Protocol):
    """Makes fresh valid inputs of a network, by name: ``count`` samples, free axes of these ``sizes``."""

    def __call__(self, count: int, sizes: Mapping[str, int], seed: int) -> Mapping[str, Tensor]: ...


@dataclass(frozen=True)
class Graph:
    """One network of an exported model.

    name     what it is called, and its file
    module   what is exported, in evaluation mode; called with tensors in the order of ``inputs``
    inputs   each input's axes by name, as ``{"image": ("N", "C", "H", "W")}``; one axis' name is one size everywhere
    outputs  names of what it returns: of a tensor one, of a tuple or list one each, of a dict those of its keys that
             are exported
    draw     fresh inputs, to export it with and to prove it with
    free     sizes that axes besides ``N`` may have, by name: those that it is tried with, the usual one first. All
             other axes have one size for good
    """

    name: str
    module: nn.Module
    inputs: Mapping[str, Sequence[str]]
    outputs: Sequence[str]
    draw: Draw
    free: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def varying(self, name: str) -> dict[int, str]:
        """An input's axes whose size is open, by number."""
        return {i: axis for i, axis in enumerate(self.inputs[name]) if axis == BATCH or axis in self.free}

    def named(self, outputs: object) -> dict[str, Tensor]:
        """What the module returned, by name."""
        if isinstance(outputs, Mapping):
            return {name: outputs[name] for name in self.outputs}
        several = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
        return dict(zip(self.outputs, several, strict=True))


@dataclass(frozen=True)
class Portable:
    """What ``Predictor.portable`` gives.

    graphs    the networks; the answering runs them by name
    given     what the answering must know
    model     a module that stands in for the run's model, whose work the networks do: what the task's metrics measure.
              Default: its ``forward`` runs the one network
    """

    graphs: Sequence[Graph]
    given: Given
    model: Callable[[RunGraph], nn.Module] | None = None


WHOLE = "model"
"""The network's name where it is the whole model."""


def whole_model(task: AnyTask, model: nn.Module, info: object) -> Graph:
    """A model as one network: the task's inputs and outputs; PluginError says what the task does not tell."""
    assert isinstance(info, Info)
    inputs = {name: task.batch[name].axes for name in task.inputs}
    outputs = list(task.outputs) if isinstance(task.outputs, Mapping) else ["outputs"]
    sizes = task.axes(info)
    used = {axis for axes in inputs.values() for axis in axes}
    lacking = sorted(axis for axis in task.free & used if axis not in sizes)
    if lacking:
        raise PluginError(f"task {task.name!r}: axes() gives no size of {', '.join(lacking)}, which are free")

    def draw(count: int, sizes: Mapping[str, int], seed: int) -> Mapping[str, Tensor]:
        batch = task.example(info, count, sizes=sizes, seed=seed)
        return {name: batch[name] for name in task.inputs}

    free = {axis: lengths(sizes[axis]) for axis in sorted(task.free & used)}
    return Graph(WHOLE, model, inputs, outputs, draw, free)


def lengths(usual: int) -> list[int]:
    """Sizes that a free axis is tried with: the usual one, and smaller ones."""
    return sorted({usual, max(2, usual // 2), max(2, usual // 3 + 1)}, reverse=True)
