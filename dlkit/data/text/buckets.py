"""Batches of sequences of about the same length: less padding, and so less to compute."""

from __future__ import annotations

import numpy as np

from dlkit.data.plans import Indices, Plan, Planner
from dlkit.data.randomness import rng

POOL = 50
"""Batches that are sorted together: enough for nearly equal lengths, and few enough to mix well."""


class Bucketed(Planner):
    """The epoch's permutation in pools of ``POOL`` batches, each sorted by ``lengths`` [size] and cut; then the batches
    in random order. With ``tokens`` a batch ends before padding would take it beyond so many; ``batch_size`` is then
    the most. A partial last batch is dropped if there is a full one (without ``tokens``)."""

    def __init__(self, lengths: Indices, tokens: int | None = None) -> None:
        self.lengths = np.asarray(lengths, np.int64)
        self.tokens = tokens

    def plan(self, size: int, seed: int, epoch: int, batch_size: int) -> Plan:
        generator = rng(seed, "order", epoch)
        order = generator.permutation(size)
        if self.tokens is None and size > batch_size:
            order = order[: size - size % batch_size]
        pool = POOL * batch_size
        batches = [
            b for first in range(0, len(order), pool) for b in self._cut(order[first : first + pool], batch_size)
        ]
        return Plan.of([batches[i] for i in generator.permutation(len(batches))])

    def _cut(self, pool: Indices, batch_size: int) -> list[Indices]:
        pool = pool[np.argsort(self.lengths[pool], kind="stable")]
        if self.tokens is None:
            return [pool[first : first + batch_size] for first in range(0, len(pool), batch_size)]
        found, first = [], 0
        while first < len(pool):
            upto = self.lengths[pool[first : first + batch_size]]  # ascending: the last one is what all are padded to
            fits = np.flatnonzero(upto * np.arange(1, len(upto) + 1) <= self.tokens)
            count = int(fits[-1]) + 1 if len(fits) else 1
            found.append(pool[first : first + count])
            first += count
        return found
