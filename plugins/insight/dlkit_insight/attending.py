"""Attention as it happens: the weights of every softmax that a model takes over places, whichever way it is written.

A model need not offer its weights. Its own forward pass is run, and the functions of torch that attention is made of
are seen on the way: ``scaled_dot_product_attention``, whose weights are computed once more beside it, and ``softmax``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_SOFTMAX = {torch.softmax, torch.Tensor.softmax, F.softmax, torch._softmax}


@dataclass(frozen=True)
class Weights:
    """What one module looked at: float32 [heads,T,S], each row adding up to 1, on the CPU."""

    module: str
    weights: Tensor


@dataclass
class Watch(TorchFunctionMode):
    """Records, by the module that is at work; ``found`` in the order of the computation."""

    found: list[Weights] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        named = dict(kwargs or {})
        if func is F.multi_head_attention_forward:  # what it calls is not seen; it gives its weights when asked
            return self._of_module(args, named)
        result = func(*args, **named)
        if func is F.scaled_dot_product_attention:
            self._add(cast(Any, product_weights)(*args, **named))
        elif func in _SOFTMAX and isinstance(result, Tensor) and over_places(result, args, named):
            self._add(result)
        return result

    def _of_module(self, args: Sequence[object], named: Mapping[str, object]) -> tuple[Tensor, Tensor | None]:
        out, weights = cast(Any, F.multi_head_attention_forward)(
            *args, **{**named, "need_weights": True, "average_attn_weights": False}
        )
        assert weights is not None
        self._add(weights)
        mean = weights.mean(-3) if named.get("average_attn_weights", True) else weights
        return out, mean if named.get("need_weights", True) else None

    def _add(self, weights: Tensor) -> None:
        module, kept = self.inside[-1] if self.inside else "", weights.detach().float().cpu()
        # [N,…,T,S] of one sample: whatever stands before the places are heads.
        self.found.append(Weights(module, kept.reshape(-1, *kept.shape[-2:])))


def product_weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """The weights that ``scaled_dot_product_attention`` takes its mean with: softmax(Q·Kᵀ·scale + mask)."""
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -torch.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    return scores.softmax(-1)


def over_places(weights: Tensor, args: Sequence[object], named: Mapping[str, object]) -> bool:
    """Whether a softmax was taken as attention takes it: over the last axis, each place of each sample by itself."""
    axis = named.get("dim", args[1] if len(args) > 1 else None)
    return weights.dim() > 2 and isinstance(axis, int) and axis % weights.dim() == weights.dim() - 1


@contextmanager
def watching(model: nn.Module) -> Iterator[Watch]:
    """Within it, the model's attention is recorded."""
    watch = Watch()
    handles = []
    for name, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(lambda *_, name=name: watch.inside.append(name)))
        handles.append(module.register_forward_hook(lambda *_: watch.inside.pop() and None, always_call=True))
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # one kernel for a whole layer, within which nothing is seen
    try:
        with watch:
            yield watch
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for handle in handles:
            handle.remove()


@torch.no_grad()
def attention_of(model: nn.Module, inputs: Sequence[Tensor]) -> list[Weights]:
    """What every module of a model looks at while it reads ``inputs`` (one sample), in the order of the computation.

    What one does step by step (a decoder that attends before each token) is one, its steps below each other.
    """
    model.eval()
    with watching(model) as watch:
        model(*inputs)
    return stepwise_joined(watch.found)


def stepwise_joined(found: Sequence[Weights]) -> list[Weights]:
    """Those of one module and one width, of a single place each, as one."""
    by_module: dict[tuple[str, int, int], list[Tensor]] = {}
    for number, one in enumerate(found):
        heads, places, width = one.weights.shape
        key = (one.module, heads, width) if places == 1 else (one.module, heads, -number - 1)
        by_module.setdefault(key, []).append(one.weights)
    return [Weights(module, torch.cat(parts, 1)) for (module, _, _), parts in by_module.items()]
