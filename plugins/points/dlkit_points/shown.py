"""What a model says of itself, so that it can be shown; all of it may be absent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dlkit.nn.trace import Trace

Ask = Callable[[Tensor], Tensor]
"""Points [N,2] → scores [N,classes], on the CPU."""


def shares(scores: Tensor, decides: str) -> Tensor:
    """What each class has of a place [N,classes]; a step leaves all to one."""
    if decides == "step":
        return torch.zeros_like(scores).scatter_(1, scores.argmax(1, keepdim=True), 1)
    if decides == "sigmoid":
        each = scores.sigmoid()
        return each / each.sum(1, keepdim=True).clamp(min=1e-12)
    return scores.softmax(1)


def decides(model: nn.Module) -> str:
    """``step``, ``sigmoid`` or ``softmax``."""
    return str(getattr(model, "decides", "softmax"))


def is_straight(model: nn.Module) -> bool:
    """Whether it draws straight lines and nothing else."""
    return bool(getattr(model, "straight", False))


def hidden_units(model: nn.Module, points: Tensor) -> list[Tensor]:
    """The values of each hidden layer's units at points [N,2]: tensors [N,units] on the CPU; none: it does not say."""
    units: Any = getattr(model, "units", None)
    if not callable(units):
        return []
    device = next(model.parameters()).device
    with torch.no_grad():
        found: Sequence[Tensor] = units(points.to(device))
    return [values.float().cpu() for values in found]


def way(model: nn.Module) -> tuple[Tensor, dict[str, Tensor]]:
    """The way that the weights have come, float32 [steps, numbers], its last row being how they are now; and their
    parameters by name, in the order of the numbers. [0, 0]: it keeps none."""
    trace = getattr(model, "trace", None)
    named: dict[str, Tensor] = dict(model.named_parameters())
    if not isinstance(trace, Trace) or trace.way.shape[1] != sum(p.numel() for p in named.values()):
        return torch.empty(0, 0), named
    now = torch.cat([p.detach().reshape(-1).float().cpu() for p in named.values()])
    return torch.cat([trace.path(), now[None]]), named
