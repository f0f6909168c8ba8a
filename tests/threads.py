"""``together``: several processes' parts in a run, played by threads that meet where those would exchange something."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch
from torch import Tensor

from dlkit.engine.distributed import World

T = TypeVar("T")
PATIENCE = 60.0


class Seat(World):
    """One of several; ``average``, ``sum`` and ``gather`` wait for the others."""

    def __init__(self, rank: int, slots: list[Any], barrier: threading.Barrier) -> None:
        self.rank, self.size = rank, len(slots)
        self._slots, self._barrier = slots, barrier

    def average(self, tensors: Sequence[Tensor]) -> None:
        for tensor, *all_of_them in zip(tensors, *self._exchange([t.clone() for t in tensors]), strict=True):
            tensor.copy_(torch.stack(all_of_them).mean(0))

    def sum(self, tensor: Tensor | None) -> Tensor | None:
        there = [found for found in self._exchange(tensor) if found is not None]
        return torch.stack(there).sum(0) if there else None

    def share(self, message: Mapping[str, T] | None) -> dict[str, T]:
        return dict(self._exchange(message)[0] or {})

    def gather(self, data: bytes) -> list[bytes]:
        return self._exchange(data)

    def _exchange(self, value: T) -> list[T]:
        self._slots[self.rank] = value
        self._barrier.wait(PATIENCE)
        found = list(self._slots)
        self._barrier.wait(PATIENCE)  # nobody puts the next value before all have read this one
        return found


def together(ranks: int, part: Callable[[World], T]) -> list[T]:
    """What each rank's ``part`` returns."""
    slots: list[Any] = [None] * ranks
    barrier = threading.Barrier(ranks)

    def seated(rank: int) -> T:
        try:
            return part(Seat(rank, slots, barrier))
        except BaseException:
            barrier.abort()  # the others must not wait for it
            raise

    with ThreadPoolExecutor(ranks) as pool:
        return list(pool.map(seated, range(ranks)))
