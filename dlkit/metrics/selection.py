"""Which samples of a split to look at: evenly from all over it, some at random, the worst first."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def evenly_spaced(size: int, count: int) -> Tensor:
    """int64 [at most ``count``]: samples from all over a split of ``size``, the first and the last among them."""
    # In float32, as those of earlier runs were chosen; beyond 2²⁴ samples it may round the last one up.
    return torch.linspace(0, size - 1, min(count, size)).long().clamp(max=size - 1)


def some_indices(size: int, most: int, rng: np.random.Generator) -> Tensor:
    """int64 [at most ``most``]: samples of a split of ``size``, drawn at random, in their order."""
    return torch.from_numpy(np.sort(rng.permutation(size)[:most]))


def worst_first(wrong: Tensor, sure: Tensor, right: Tensor | None = None) -> Tensor:
    """Indices [N]: what is ``wrong`` bool [N], the surest first; then what is right, by ``right`` [N] from the lowest.

    ``right`` None: the least sure first. Equal ones keep their order.
    """
    # Two sorts and not one of combined numbers, which would round small differences away.
    within = torch.where(wrong, -sure, sure if right is None else right).argsort(stable=True)
    return within[wrong[within].logical_not().int().argsort(stable=True)]
