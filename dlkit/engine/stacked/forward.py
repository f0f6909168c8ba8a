"""The forward pass of all rows at once: inputs [N,…] or [K,N,…] → outputs [K,N,…], by one of three ways.

``Layered`` for sequences of known layers: batched products of matrices, each row rounded as it would be alone.
``Vmapped`` for other networks that ``torch.func.vmap`` can follow. ``RowByRow`` calls one model after the other: what
is left where bits are to be equal (float64) and neither of the others gives them.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.engine.stacked.masks import Masks

Weights = Mapping[str, Tensor]
"""Stacked parameters [K,…] by name."""
Step = Callable[[Tensor], Tensor]

AT_ONCE = (nn.ReLU, nn.Tanh, nn.LeakyReLU, nn.Identity)
"""Activations that give a number the same bits wherever it stands."""
IN_TURN = (nn.GELU, nn.SiLU, nn.Sigmoid, nn.ELU, nn.Softplus)
"""Activations whose vectorised form rounds otherwise than the one for the last few numbers of a tensor."""

TINY = 400
"""Multiplications below which torch takes a batch of products by loops of its own, not by BLAS."""


class Forward(ABC):
    """One of the ways; a call is one pass in training mode."""

    @abstractmethod
    def __call__(self, inputs: Sequence[Tensor], *, shared: bool) -> object:
        """``shared``: the inputs [N,…] are every row's; else they are [K,N,…]."""


class Layered(Forward):
    """``exact``: what does not round alike for all rows at once is computed row by row."""

    def __init__(self, models: Sequence[nn.Module], weights: Weights, masks: Masks, *, exact: bool) -> None:
        self._models, self._weights, self._masks, self._exact = models, weights, masks, exact
        self._rows = len(models)
        self._steps = [self._step_of(name, layer) for name, layer in _layers(models[0])]

    @classmethod
    def knows(cls, model: nn.Module) -> bool:
        """Whether a model is made of layers that this can do."""
        known = (nn.Linear, nn.Flatten, nn.Dropout, *AT_ONCE, *IN_TURN)
        return all(type(layer) in known and not _is_hooked(layer) for _, layer in _layers(model))

    def __call__(self, inputs: Sequence[Tensor], *, shared: bool) -> object:
        (values,) = inputs
        if shared:  # without a copy: every row's product reads the same memory
            values = values.expand(self._rows, *values.shape)
        for step in self._steps:
            values = step(values)
        return values

    def _step_of(self, name: str, layer: nn.Module) -> Step:
        if isinstance(layer, nn.Linear):
            return self._linear(name, layer)
        if isinstance(layer, nn.Flatten):
            return lambda values: values.flatten(layer.start_dim + 1, layer.end_dim)
        if isinstance(layer, nn.Dropout):
            rates = [cast(nn.Dropout, model.get_submodule(name)).p for model in self._models]
            return self._dropout(rates)
        if self._exact and not isinstance(layer, AT_ONCE):
            return lambda values: torch.stack([layer(row) for row in values.unbind(0)])
        return layer

    def _dropout(self, rates: Sequence[float]) -> Step:
        if not any(rates):
            return lambda values: values
        return lambda values: values * self._masks.draw(values.shape[1:], rates, values.dtype)

    def _linear(self, name: str, layer: nn.Linear) -> Step:
        prefix = f"{name}." if name else ""
        weight = self._weights[f"{prefix}weight"]
        bias = self._weights.get(f"{prefix}bias")
        if not self._exact:
            return lambda values: _linear_at_once(values, weight, bias)

        def exact(values: Tensor) -> Tensor:
            sizes = values.shape[1:-1].numel(), layer.in_features, layer.out_features
            # Products with vectors, and tiny ones, take another kernel alone than in a batch, and round otherwise.
            alike = 1 not in sizes and math.prod(sizes) >= TINY
            return (_linear_at_once if alike else _linear_in_turn)(values, weight, bias)

        return exact


class Vmapped(Forward):
    """The model as a function of its weights; dropout's masks are drawn outside and handed in."""

    def __init__(self, models: Sequence[nn.Module], weights: Weights, masks: Masks) -> None:
        self._weights, self._masks = weights, masks
        self._model, self._dropouts = _with_masked_dropout(models[0])
        self._rates = [[cast(nn.Dropout, m.get_submodule(n)).p for m in models] for n in self._dropouts]
        self._buffers = dict(models[0].named_buffers())
        self._shapes: dict[tuple[torch.Size, ...], list[torch.Size]] = {}

    def __call__(self, inputs: Sequence[Tensor], *, shared: bool) -> object:
        masks = self._draw([i if shared else i[0] for i in inputs]) if self._dropouts else []
        over = None if shared else 0
        return torch.func.vmap(self._one, in_dims=(0, 0, *[over] * len(inputs)))(dict(self._weights), masks, *inputs)

    def _one(self, weights: dict[str, Tensor], masks: list[Tensor], *inputs: Tensor) -> object:
        for layer, mask in zip(self._dropouts.values(), masks, strict=True):
            layer.mask = mask
        return torch.func.functional_call(self._model, {**weights, **self._buffers}, inputs)

    def _draw(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        key = tuple(tensor.shape for tensor in inputs)
        if key not in self._shapes:
            self._shapes[key] = self._seen(inputs)
        dtype = next(iter(self._weights.values())).dtype
        return [
            self._masks.draw(shape, rates, dtype) for shape, rates in zip(self._shapes[key], self._rates, strict=True)
        ]

    def _seen(self, inputs: Sequence[Tensor]) -> list[torch.Size]:
        """The shapes that reach the dropout layers."""
        for layer in self._dropouts.values():
            layer.mask = None
        with torch.no_grad():
            self._model(*inputs)
        return [layer.seen for layer in self._dropouts.values()]


class RowByRow(Forward):
    """Each row's own model, with its own draws."""

    def __init__(self, models: Sequence[nn.Module], weights: Weights, generators: Sequence[torch.Generator]) -> None:
        self._models, self._weights, self._generators = models, weights, generators

    def __call__(self, inputs: Sequence[Tensor], *, shared: bool) -> object:
        rows = {name: weight.unbind(0) for name, weight in self._weights.items()}
        before = torch.get_rng_state()
        try:
            found = []
            for k in range(len(self._models)):
                weights = {name: weight[k] for name, weight in rows.items()}
                found.append(self._one(k, weights, [tensor if shared else tensor[k] for tensor in inputs]))
        finally:
            torch.set_rng_state(before)
        return _stacked(found)

    def _one(self, row: int, weights: dict[str, Tensor], inputs: list[Tensor]) -> object:
        generator = self._generators[row]
        torch.set_rng_state(generator.get_state())
        found: object = torch.func.functional_call(self._models[row], weights, tuple(inputs))
        generator.set_state(torch.get_rng_state())
        return found


class MaskedDropout(nn.Module):
    """In the place of dropout: multiplies by ``mask``, and remembers the shape that it ``seen``."""

    def __init__(self) -> None:
        super().__init__()
        self.mask: Tensor | None = None
        self.seen = torch.Size()

    def forward(self, values: Tensor) -> Tensor:
        self.seen = values.shape
        return values if self.mask is None else values * self.mask


def _with_masked_dropout(model: nn.Module) -> tuple[nn.Module, dict[str, MaskedDropout]]:
    """A copy of a model, and its dropout layers by name."""
    made, found = copy.deepcopy(model), {}
    for name, layer in list(made.named_modules()):
        if type(layer) is nn.Dropout:
            found[name] = MaskedDropout()
            made.set_submodule(name, found[name])
    return made, found


def _layers(model: nn.Module, prefix: str = "") -> list[tuple[str, nn.Module]]:
    """The layers of a sequence in their order, sequences in it taken apart; anything else is one layer."""
    if type(model) is not nn.Sequential or _is_hooked(model):
        return [(prefix, model)]
    inside = f"{prefix}." if prefix else ""
    return [found for name, child in model.named_children() for found in _layers(child, f"{inside}{name}")]


def _is_hooked(layer: nn.Module) -> bool:
    """Whether something happens at its call that its class does not say."""
    return bool(layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks)


class _Pass(Protocol):
    """What a function of torch's keeps from its forward to its backward pass."""

    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _LinearAtOnce(torch.autograd.Function):
    """[K,N,F] × [K,O,F] + [K,O] → [K,N,O]: the products that torch takes for one layer, of all rows in one call.

    By itself, autograd would give the weights' gradient with two axes exchanged, which every update then strides over.
    """

    @staticmethod
    def forward(ctx: _Pass, values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(values, weight)
        turned = weight.transpose(1, 2)
        # The bias is what the product is added to, as in the kernel for one: added afterwards, sums round otherwise.
        return torch.bmm(values, turned) if bias is None else torch.baddbmm(bias.unsqueeze(1), values, turned)

    @staticmethod
    def backward(ctx: _Pass, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None]:
        values, weight = ctx.saved_tensors
        of_values = torch.bmm(gradient, weight) if ctx.needs_input_grad[0] else None
        of_bias = gradient.sum(1) if ctx.needs_input_grad[2] else None
        return of_values, torch.bmm(gradient.transpose(1, 2), values), of_bias


def _linear_at_once(values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """[K,N,…,F] × [K,O,F] → [K,N,…,O]."""
    flat = values.flatten(1, -2) if values.dim() > 3 else values
    found: Tensor = _LinearAtOnce.apply(flat, weight, bias)
    return found.view(*values.shape[:-1], -1) if values.dim() > 3 else found


def _linear_in_turn(values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    biases: Sequence[Tensor | None] = [None] * len(weight) if bias is None else bias.unbind(0)
    rows = zip(values.unbind(0), weight.unbind(0), biases, strict=True)
    return torch.stack([F.linear(row, of, offset) for row, of, offset in rows])


def _stacked(found: list[object]) -> object:
    """Outputs of each row, tensors or mappings of them, as those of all."""
    first = found[0]
    if isinstance(first, Tensor):
        return torch.stack(cast("list[Tensor]", found))
    assert isinstance(first, Mapping), "a task's outputs are a tensor, or tensors by name"
    return {key: torch.stack([cast("Mapping[str, Tensor]", one)[key] for one in found]) for key in first}
