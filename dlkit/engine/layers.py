"""What happens inside a network while it trains (``engine.layers``): single steps, watched layer by layer.

A watched step is a real one. It is the trainer's own, seen through hooks that read and change nothing: the same weights
come of it, bit for bit. Between two of them there are no hooks. What is seen stays on the device until it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.modules import activation as nonlinearities

from dlkit.data.splits import Batch
from dlkit.engine.loader import Cadence
from dlkit.engine.trainer import Trainer, Values

_STRIDE = 2_654_435_761
VALUES = 4096
"""Of a tensor's values so many, evenly spread over it, stand for all in a picture of their distribution."""


@dataclass(frozen=True)
class Spread:
    """How a tensor's values are distributed: ``mean``, ``std`` and ``zeros`` (a share) of all, and ``some`` of them."""

    mean: Tensor
    std: Tensor
    zeros: Tensor
    some: Tensor


@dataclass
class Seen:
    """One layer in one step; None is what it does not have, or what did not go through it.

    ``dead``: for an activation function, the share of units that are 0 for all that went through; for weights, the
    share of their units (rows, filters) that got no gradient at all. ``update``: the norm of the change of the weights
    by the norm of the weights.
    """

    kind: str
    activation: Spread | None = None
    gradient: Spread | None = None
    dead: Tensor | None = None
    update: Tensor | None = None


@dataclass(frozen=True)
class Watched:
    """The layers in their order, by name, at the step that made ``step`` finished ones.

    ``compiled``: the model is, so that nothing is known of its activations.
    """

    step: int
    layers: Mapping[str, Seen]
    compiled: bool = False


class LayerWatch:
    """Takes the trainer's steps, and watches those after which ``due`` says so, and the first of all."""

    def __init__(self, trainer: Trainer, due: Cadence) -> None:
        self.watched: Watched | None = None
        self._trainer, self._due = trainer, due
        self._next = -1

    def step(self, batches: Sequence[Batch], step: int) -> Values:
        """``Trainer.step``."""
        if self.watched is not None and step + 1 < self._next:
            return self._trainer.step(batches, step)
        self._next = self._due.next(step + 1)
        watching = Watching(self._trainer)
        with watching:
            values = self._trainer.step(batches, step)
        self.watched = Watched(step + 1, watching.seen, compiled=self._trainer.setup.engine.compile)
        return values


class Watching:
    """A context for one step; ``seen`` fills in it."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._layers = dict(layers_of(trainer.model))
        # A compiled model would take the hooks into its graph, and keep them there.
        self._hooked = not trainer.setup.engine.compile
        by_hand = not any(p.requires_grad for p in trainer.model.parameters())
        self._weights = {name: trained_weights(layer, by_hand=by_hand) for name, layer in self._layers.items()}
        self.seen = {name: Seen(type(layer).__name__) for name, layer in self._layers.items()}
        self._before: dict[str, list[Tensor]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Watching:
        for name, layer in self._layers.items():
            self._before[name] = [weight.detach().clone() for weight in self._weights[name]]
            if self._hooked:
                self._until_exit(layer.register_forward_hook(self._reading_output(name)))
        for optimizer in self._trainer.optimizers_made:
            self._until_exit(optimizer.register_step_pre_hook(self._read_gradients))
        return self

    def __exit__(self, *failed: object) -> None:
        self._stack.close()
        if failed[0] is None:
            self._read_updates()

    def _until_exit(self, handle: torch.utils.hooks.RemovableHandle) -> None:
        self._stack.callback(handle.remove)

    def _reading_output(self, name: str) -> Callable[[nn.Module, object, object], None]:
        def read(layer: nn.Module, inputs: object, output: object) -> None:
            seen, values = self.seen[name], first_tensor(output)
            if seen.activation is not None or values is None or not values.numel():
                return  # of several passes in one step, the first
            seen.activation = spread(values)
            if is_nonlinearity(layer):
                seen.dead = silent_units(values)

        return read

    def _read_gradients(self, *_: object) -> None:
        """Just before an update; with several optimizers, before each. The gradients are those it is made of."""
        for name, layer in self._layers.items():
            found = [weight.grad for weight in self._weights[name] if weight.grad is not None]
            if found and self.seen[name].gradient is None:
                self.seen[name].gradient = spread(*found)
                self.seen[name].dead = units_without_gradient(layer, found)

    @torch.no_grad()
    def _read_updates(self) -> None:
        for name, before in self._before.items():
            if before:
                changes = [w - old for w, old in zip(self._weights[name], before, strict=True)]
                self.seen[name].update = nn.utils.get_total_norm(changes) / nn.utils.get_total_norm(before)


def layers_of(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """What is watched of a model, by name: the modules that have weights of their own, and activation functions."""
    for name, module in model.named_modules():
        if is_nonlinearity(module) or next(module.parameters(recurse=False), None) is not None:
            yield name or type(module).__name__, module


def is_nonlinearity(module: nn.Module) -> bool:
    """Whether it is one of ``torch.nn``'s activation functions (attention is defined beside them, and is none)."""
    name = type(module).__name__
    return getattr(nonlinearities, name, None) is type(module) and not isinstance(module, nn.MultiheadAttention)


def trained_weights(layer: nn.Module, *, by_hand: bool) -> list[nn.Parameter]:
    """Its own matrices and filters that are trained; of a layer that has vectors only (a norm), those. None of what is
    frozen; ``by_hand``: of a model of which nothing needs a gradient, all."""
    own = [p for p in layer.parameters(recurse=False) if p.is_floating_point() and (by_hand or p.requires_grad)]
    return [p for p in own if p.dim() > 1] or own


def first_tensor(output: object) -> Tensor | None:
    """The first tensor of floating-point numbers in what a module returned."""
    if isinstance(output, Tensor):
        return output.detach() if output.is_floating_point() else None
    if isinstance(output, nn.utils.rnn.PackedSequence):
        return output.data.detach()
    parts = output.values() if isinstance(output, Mapping) else output if isinstance(output, (tuple, list)) else ()
    return next((found for part in parts if (found := first_tensor(part)) is not None), None)


@torch.no_grad()
def spread(*tensors: Tensor) -> Spread:
    """Of all values of the tensors together. The device is not waited for."""
    parts = [_dense(tensor).detach().reshape(-1).float() for tensor in tensors]
    flat = parts[0] if len(parts) == 1 else torch.cat(parts)
    std, mean = torch.std_mean(flat, correction=0)
    return Spread(mean, std, (flat == 0).float().mean(), _some(flat))


def _some(flat: Tensor) -> Tensor:
    if len(flat) <= VALUES:
        return flat.clone()  # what it is a view of may be written over before it is read
    # Not every n-th: n may be a multiple of an image's pixels, and then one corner would stand for all. A prime strides
    # over everything.
    return flat[torch.arange(VALUES, device=flat.device) * _STRIDE % len(flat)]


def silent_units(output: Tensor) -> Tensor:
    """The share of units that are 0 throughout: features of [N,F] or [N,T,F], channels of images [N,C,H,W]."""
    values = output.detach()
    units = values.movedim(1 if values.dim() > 3 else -1, 0).flatten(1) if values.dim() > 1 else values.reshape(-1, 1)
    return (units == 0).all(1).float().mean()


def units_without_gradient(layer: nn.Module, gradients: Sequence[Tensor]) -> Tensor | None:
    """The share of a layer's units that nothing in the step moves; None for what is looked up, of which a batch has
    but a part."""
    if isinstance(layer, (nn.Embedding, nn.EmbeddingBag)) or any(gradient.is_sparse for gradient in gradients):
        return None
    inputs_first = isinstance(layer, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d))
    by_unit = [gradient.transpose(0, 1) if inputs_first and gradient.dim() > 1 else gradient for gradient in gradients]
    silent = [(gradient.reshape(len(gradient), -1) == 0).all(1) for gradient in by_unit if gradient.dim()]
    return torch.cat(silent).float().mean() if silent else None


def _dense(tensor: Tensor) -> Tensor:
    return cast(Any, tensor).coalesce().values() if tensor.is_sparse else tensor
