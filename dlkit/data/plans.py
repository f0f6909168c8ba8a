"""A plan says which samples make up each batch of an epoch, in order.

It is a function of (seed, epoch, batch size) alone, so the loader's whole state is (epoch, batch).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from dlkit.data.randomness import rng
from dlkit.errors import UsageError

Indices = npt.NDArray[np.int64]


class Plan(Sequence[Indices]):
    """The batches of one epoch: ``plan[i]`` is the int64 indices of batch i.

    Kept as one array and the bounds of its batches, which moves to a device in one copy.
    """

    # Not a list of arrays: an epoch of a million batches would be a million objects, and as many copies to the device.
    def __init__(self, order: Indices, bounds: Indices) -> None:
        self.order = order
        self.bounds = bounds

    @classmethod
    def of(cls, batches: Sequence[Sequence[int] | Indices]) -> Plan:
        """A plan from its batches, for tasks that group samples themselves."""
        sizes = [len(batch) for batch in batches]
        order = np.concatenate([np.asarray(b, np.int64) for b in batches]) if batches else np.empty(0, np.int64)
        return cls(order, np.cumsum([0, *sizes]))

    @property
    def sizes(self) -> list[int]:
        """Samples in each batch."""
        return [int(size) for size in np.diff(self.bounds)]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, index: int) -> Indices:  # type: ignore[override]  # batches are asked for one by one
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return self.order[self.bounds[index] : self.bounds[index + 1]]

    def first(self, count: int) -> Plan:
        """The plan's first ``count`` batches."""
        return self if count >= len(self) else Plan(self.order[: self.bounds[count]], self.bounds[: count + 1])

    def after(self, start: int) -> Plan:
        """The plan's batches from ``start`` on."""
        return Plan(self.order[self.bounds[start] :], self.bounds[start:] - self.bounds[start]) if start else self

    def shard(self, rank: int, ranks: int) -> Plan:
        """One rank's part of every batch: a slice of it, the slices' lengths differing by one sample at most.

        UsageError if a batch has fewer samples than there are ranks.
        """
        sizes = np.diff(self.bounds)
        if len(sizes) and sizes.min() < ranks:
            raise UsageError(f"a batch of {sizes.min()} samples cannot be shared by {ranks} processes")
        # Slices of every batch, not of the epoch: a step sees the same samples however many processes share it.
        first = self.bounds[:-1] + sizes * rank // ranks
        last = self.bounds[:-1] + sizes * (rank + 1) // ranks
        return Plan.of([self.order[a:b] for a, b in zip(first, last, strict=True)])

    def __iter__(self) -> Iterator[Indices]:
        return (self[i] for i in range(len(self)))


class Planner(ABC):
    """How an epoch is cut into batches. A split has one; tasks with buckets, budgets or streams bring their own."""

    @abstractmethod
    def plan(self, size: int, seed: int, epoch: int, batch_size: int) -> Plan:
        """The batches of one training epoch over ``size`` samples."""

    def length(self, size: int, seed: int, epoch: int, batch_size: int) -> int:
        """How many batches ``plan`` would give, cheaper where that is possible."""
        return len(self.plan(size, seed, epoch, batch_size))


class Shuffled(Planner):
    """The default: the epoch's permutation, cut into slices; a partial last batch is dropped if there is a full one."""

    def plan(self, size: int, seed: int, epoch: int, batch_size: int) -> Plan:
        batches = self.length(size, seed, epoch, batch_size)
        # Another order for every epoch, from (seed, epoch) alone: a resume in the middle needs no generator.
        order = self.order(size, rng(seed, "order", epoch))
        bounds = np.minimum(np.arange(batches + 1) * batch_size, size)
        return Plan(order[: bounds[-1]], bounds)

    def order(self, size: int, generator: np.random.Generator) -> Indices:
        """The samples of an epoch, one after the other."""
        return generator.permutation(size)

    def length(self, size: int, seed: int, epoch: int, batch_size: int) -> int:
        return max(size // batch_size, min(size, 1))  # fewer samples than a batch are one all the same


class Balanced(Shuffled):
    """As many samples an epoch, of every class as many: those of rare classes several times, those of common ones not
    in every epoch. A class's samples come all equally often, to one: they are gone through before any comes again.
    """

    def __init__(self, labels: Indices) -> None:
        """``labels`` [N]: the class of each sample."""
        self._members = [np.flatnonzero(labels == label) for label in np.unique(labels)]

    def order(self, size: int, generator: np.random.Generator) -> Indices:
        kinds = len(self._members)
        # What is left over by equal shares goes to other classes in every epoch.
        more = set(generator.permutation(kinds)[: size % kinds].tolist())
        drawn = [
            _cycled(members, size // kinds + (kind in more), generator) for kind, members in enumerate(self._members)
        ]
        return generator.permutation(np.concatenate(drawn))


def _cycled(members: Indices, count: int, generator: np.random.Generator) -> Indices:
    rounds = [generator.permutation(members) for _ in range(-(-count // len(members)))]
    return np.concatenate([*rounds, members[:0]])[:count]


def in_order(size: int, batch_size: int) -> Plan:
    """Every sample once, in the split's own order, none dropped: how evaluation goes."""
    return Plan(np.arange(size), np.minimum(np.arange(-(-size // batch_size) + 1) * batch_size, size))
