"""Answers that do not look at their input: what a model has to beat. For ``Task.constant``."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dlkit.data.splits import Batch, Split, TensorSplit
from dlkit.metrics.selection import evenly_spaced

Answer = Callable[[Batch], object]
"""From a batch to a model's outputs for it, whatever its inputs are."""
SOME = 256
"""Samples that are looked at where each one is made when it is asked for: enough to tell the commonest value of a
column, and a second's work where they are images."""


def some_of(split: Split, name: str) -> Tensor:
    """A column [N,…] of a split, on the CPU: all of it where it lies in memory, else of samples from all over it."""
    if isinstance(split, TensorSplit) and isinstance(labels := split.columns.get(name), Tensor):
        if not labels.is_floating_point() and labels.dim() == 1:  # a transform makes inputs of pixels, not other labels
            return labels.cpu()
    return some_rows(split, name)[0]


def some_rows(split: Split, *names: str) -> list[Tensor]:
    """Columns [N,…], as ``some_of`` gives one, of the same samples: what is in a row belongs together."""
    if isinstance(split, TensorSplit) and split.transform is None:
        stored = [column.cpu() for name in names if isinstance(column := split.columns.get(name), Tensor)]
        if len(stored) == len(names):
            return stored
    rows = split.take(evenly_spaced(len(split), SOME))
    return [rows[name].cpu() for name in names]


def log_shares(values: Tensor, count: int) -> Tensor:
    """float32 [count]: logarithms of how often each of 0 … count − 1 is among ``values`` (any shape; others count
    nothing), one added to each, so that what was not seen is unlikely and not impossible."""
    flat = values.flatten()
    seen = torch.bincount(flat[(flat >= 0) & (flat < count)], minlength=count).double() + 1
    return (seen / seen.sum()).log().float()


def same_for_all(value: Tensor, column: str, axes: int = 1) -> Callable[[Batch], Tensor]:
    """``value`` […] as the outputs of every batch: [N,…], N and what follows it up to ``axes`` axes as ``column`` has
    them, on its device."""

    def answer(batch: Batch) -> Tensor:
        like = batch[column]
        return value.to(like.device).expand(*like.shape[:axes], *value.shape)

    return answer
