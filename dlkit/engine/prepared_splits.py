"""The trainer's ``prepare``, carried out: each part of it in a stream of its own, and what comes of it looked at."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import count

import torch

from dlkit.data.randomness import forked
from dlkit.data.splits import Data, Split
from dlkit.engine.build import Job
from dlkit.engine.contract import blaming, named
from dlkit.engine.preparation import Stage, cache_of
from dlkit.errors import PluginError
from dlkit.runs.folder import RunFolder


class Preparation:
    """Iterate to make it happen; ``data`` are the splits as they were built, until it is done."""

    def __init__(self, job: Job, run: RunFolder) -> None:
        self._job = job
        self._who = named(job.resolved.specs["trainer"])
        placement = job.placement
        self._cache = cache_of(run, job.resolved, f"{placement.name} {placement.precision}")
        self.data = job.data

    def __iter__(self) -> Iterator[Stage | str]:
        job = self._job
        with blaming(self._who):
            making = job.trainer.prepare(job.data, self._cache)
            if not isinstance(making, Generator):
                raise PluginError(f"{self._who}: its prepare is not a generator: it yields how far it is")
        for number in count():
            # Part by part, so that a checkpoint that is asked for meanwhile has the run's own generators.
            stream = forked(job.resolved.engine.seed, "prepare", number, device=job.placement.device)
            with blaming(self._who), torch.no_grad(), stream:
                try:
                    stage = next(making)
                except StopIteration as end:
                    self.data = self._checked(end.value)
                    return
            yield stage

    def _checked(self, made: object) -> Data:
        """PluginError unless the course of the run is still what it was planned to be."""
        if not isinstance(made, Data):
            raise PluginError(
                f"{self._who}: its prepare returned a {type(made).__name__}, not a dlkit.data.splits.Data"
            )
        for name in ("train", "val"):
            built, other = (self._shape(data.splits[name]) for data in (self._job.data, made))
            if built != other:
                raise PluginError(
                    f"{self._who}: its prepare made of split {name!r} (samples, batches) = {other}, not {built}"
                )
        return made

    def _shape(self, split: Split) -> tuple[int, int]:
        engine = self._job.resolved.engine
        return len(split), split.planner.length(len(split), engine.seed, 0, engine.batch_size)
