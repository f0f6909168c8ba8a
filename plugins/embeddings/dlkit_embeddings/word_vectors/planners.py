"""The order in which an epoch asks for its targets: single ones shuffled, or passages."""

from __future__ import annotations

import numpy as np

from dlkit.data.plans import Plan, Planner
from dlkit.data.randomness import rng
from dlkit.errors import UsageError
from dlkit_embeddings.word_vectors.text import Text


class InRandomOrder(Planner):
    """All targets of an epoch, shuffled; a partial last batch is dropped if there is a full one."""

    def __init__(self, text: Text) -> None:
        self._targets = max(1, text.expected())

    def plan(self, size: int, seed: int, epoch: int, batch_size: int) -> Plan:
        batches = self.length(size, seed, epoch, batch_size)
        order = rng(seed, "order", epoch).permutation(self._targets)
        bounds = np.minimum(np.arange(batches + 1) * batch_size, self._targets)
        return Plan(order[: bounds[-1]], bounds)

    def length(self, size: int, seed: int, epoch: int, batch_size: int) -> int:
        return max(self._targets // batch_size, 1)


class InPassages(Planner):
    """Passages of consecutive targets that begin at another place each epoch, in random order, only whole ones."""

    def __init__(self, text: Text, passage: int) -> None:
        self.passage = passage
        self._passages = max(1, text.expected() // passage - 1)  # one less: wherever the first one begins

    def plan(self, size: int, seed: int, epoch: int, batch_size: int) -> Plan:
        generator = rng(seed, "order", epoch)
        batches, each = self.length(size, seed, epoch, batch_size), self._in_batch(batch_size)
        # Another beginning each epoch, so that other words share the words drawn against them.
        starts = int(generator.integers(self.passage)) + self.passage * generator.permutation(self._passages)
        order = (starts[:, None] + np.arange(self.passage)).ravel()
        bounds = np.minimum(np.arange(batches + 1) * each, self._passages) * self.passage
        return Plan(order[: bounds[-1]], bounds)

    def length(self, size: int, seed: int, epoch: int, batch_size: int) -> int:
        return max(self._passages // self._in_batch(batch_size), 1)

    def _in_batch(self, batch_size: int) -> int:
        if batch_size < self.passage:
            raise UsageError(f"a batch of {batch_size} words has no room for dataset.passage = {self.passage}")
        return batch_size // self.passage
