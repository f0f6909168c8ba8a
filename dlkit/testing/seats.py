"""Several processes' parts in a run, played by threads that meet where those would exchange something."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import torch
from torch import Tensor

from dlkit.engine.distributed import World

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds that one waits for the others."""


class Seat(World):
    """One of several; ``average``, ``sum``, ``share`` and ``gather`` wait for the others."""

    def __init__(self, rank: int, slots: list[object], barrier: threading.Barrier) -> None:
        self.rank = self.local_rank = rank
        self.size = len(slots)
        self._slots, self._barrier = slots, barrier

    def average(self, tensors: Sequence[Tensor]) -> None:
        for tensor, *everybodys in zip(tensors, *self._exchange([t.clone() for t in tensors]), strict=True):
            tensor.copy_(torch.stack(everybodys).mean(0))

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
        found = cast(list[T], list(self._slots))  # all put in values of one kind
        self._barrier.wait(PATIENCE)  # nobody puts the next value before all have read this one
        return found


def seated(ranks: int, role: Callable[[World], T]) -> list[T]:
    """What each rank's ``role`` returns. The first error of one is raised, the others being sent home."""
    slots: list[object] = [None] * ranks
    barrier = threading.Barrier(ranks)
    errors: list[BaseException] = []

    def play(rank: int) -> T | None:
        try:
            return role(Seat(rank, slots, barrier))
        except threading.BrokenBarrierError:
            return None  # another one's error, which is told
        except BaseException as error:
            errors.append(error)
            barrier.abort()  # the others must not wait for it
            return None

    with ThreadPoolExecutor(ranks) as pool:
        found = list(pool.map(play, range(ranks)))
    if errors:
        raise errors[0]
    return cast(list[T], found)  # where nobody raised, each is what a role returned
