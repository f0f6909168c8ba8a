"""Sums over batches, and over the processes that have seen some of them."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from dlkit.task import SumOverRanks


class Total:
    """A sum that stays on the device of what is added; ``value`` is None while nothing was.

    Adding never waits for the device: only whoever reads ``value`` does.
    """

    def __init__(self) -> None:
        self.value: Tensor | None = None

    def add(self, value: Tensor) -> None:
        """Add a tensor of the same shape as those before it."""
        self.value = value if self.value is None else self.value + value

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        self.value = over_ranks(self.value)

    def numbers(self) -> list[float]:
        """The sums, one after the other, as Python's numbers; none while nothing was added."""
        return [] if self.value is None else [float(number) for number in self.value.flatten().tolist()]


def reduce_all(totals: Iterable[Total], over_ranks: SumOverRanks) -> None:
    """Reduce each, in this order, which must be the same on every process."""
    for total in totals:
        total.reduce(over_ranks)
