"""Batches for all rows: one where seeds share it, else each row's own, gathered in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from dlkit.data.plans import Plan
from dlkit.data.splits import Batch, TensorSplit
from dlkit.engine.loader import Course, Loader
from dlkit.engine.stacked.stack import Fed


class Feed:
    """``loaders``: each row's own, of one split; ``seeds`` say which of them give the same batches."""

    def __init__(self, loaders: Sequence[Loader], seeds: Sequence[int], course: Course) -> None:
        self._split, self._course = loaders[0].split, course
        self._loaders = dict(zip(seeds, loaders, strict=True))
        order = list(self._loaders)
        self._row_seeds = torch.tensor([order.index(seed) for seed in seeds])
        # Augmentation is drawn for a batch as its seed has it: there, each seed's loader is asked.
        self._gathers = isinstance(self._split, TensorSplit) and not loaders[0].augments

    def steps(self, step: int) -> Iterator[Fed]:
        """The batches from the one that follows ``step`` finished steps on, without end."""
        loaders = list(self._loaders.values())
        if len(loaders) > 1 and self._gathers:
            yield from self._gathered(step)
            return
        for loader in loaders:
            loader.seek(step)
        streams = [loader.steps() for loader in loaders]
        if len(streams) == 1:  # nothing is copied for rows that share a seed
            for (batch,) in streams[0]:
                yield Fed(batch, shared=True)
        while True:
            yield self._stacked([next(stream)[0] for stream in streams])

    def _stacked(self, batches: Sequence[Batch]) -> Fed:
        found = {key: torch.stack([batch[key] for batch in batches]) for key in batches[0]}
        return Fed({key: column.index_select(0, self._row_seeds) for key, column in found.items()}, shared=False)

    def _gathered(self, step: int) -> Iterator[Fed]:
        """One look-up a step for the samples of all rows, as if they were one large batch."""
        rows = len(self._row_seeds)
        epoch = self._course.epoch_of(step)
        start = step - self._course.start_of(epoch)
        while True:
            plan = self._joined(epoch)
            for batch in self._split.batches(plan, seed=0, epoch=epoch, start=start):
                yield Fed(
                    {key: column.view(rows, -1, *column.shape[1:]) for key, column in batch.items()}, shared=False
                )
            epoch, start = epoch + 1, 0

    def _joined(self, epoch: int) -> Plan:
        """The rows' plans of an epoch as one: batch i is that of the first row, of the second, and so on."""
        plans = [loader.plan(epoch) for loader in self._loaders.values()]
        orders = [np.split(plan.order, plan.bounds[1:-1]) for plan in plans]
        seeds = self._row_seeds.tolist()
        return Plan.of([np.concatenate([orders[seed][i] for seed in seeds]) for i in range(len(plans[0]))])
