"""Sums over batches, and over the processes that have seen some of them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from dlkit.task import SumOverRanks


def exact(value: Tensor) -> Tensor:
    """In float64, where the device has it (Metal has not), for sums of many: float32 counts to 16.8 million only."""
    return value.to(torch.float32 if value.device.type == "mps" else torch.float64)


class Total:
    """A sum that stays on the device of what is added; ``value`` is None while nothing was.

    Adding never waits for the device: only whoever reads ``value`` does. Floating-point numbers are added up in
    float64, so that how a split is cut into batches makes no difference.
    """

    def __init__(self) -> None:
        self.value: Tensor | None = None
        self._dtype: torch.dtype | None = None

    def add(self, value: Tensor) -> None:
        """Add a tensor of the same shape as those before it."""
        self._dtype = value.dtype
        if value.is_floating_point():
            value = exact(value)
        self.value = value if self.value is None else self.value + value

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        self.value = over_ranks(self.value)

    def numbers(self) -> list[float]:
        """The sums, one after the other, in the precision of what was added, as Python's numbers; none of nothing."""
        if self.value is None:
            return []
        return [float(number) for number in self.value.to(self._dtype or self.value.dtype).flatten().tolist()]


def reduce_all(totals: Iterable[Total], over_ranks: SumOverRanks) -> None:
    """Reduce each, in this order, which must be the same on every process."""
    for total in totals:
        total.reduce(over_ranks)
