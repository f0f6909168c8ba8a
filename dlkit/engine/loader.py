"""The loader: training batches from any (epoch, batch) on, that pair being its whole state."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import torch

from dlkit.config import EngineConfig
from dlkit.data.destination import Destination
from dlkit.data.plans import Plan, in_order
from dlkit.data.randomness import rng
from dlkit.data.splits import Augment, Batch, Split
from dlkit.engine.distributed import World

MAX_EPOCHS = 10_000_000
"""Where ``engine.steps`` alone says when a run ends, epochs are counted up to there."""


class Course:
    """Which steps the epochs end at, known before the first: ``ends[e]`` is the step count after epoch e.

    ``total`` may be 0: nothing is trained, and what is due at the end is due at once.
    """

    def __init__(self, split: Split, engine: EngineConfig) -> None:
        self.batches: list[int] = []
        ends: list[int] = []
        target = engine.steps
        for epoch in range(engine.epochs if engine.epochs and target is None else MAX_EPOCHS):
            batches = _limit(engine, split.planner.length(len(split), engine.seed, epoch, engine.batch_size))
            self.batches.append(batches)
            # Batches at an epoch's end that fill no step are dropped: a step never mixes epochs.
            ends.append((ends[-1] if ends else 0) + max(1, batches // engine.accumulate))
            if target is not None and ends[-1] >= target:
                break
        self.ends = ends
        self.total = ends[-1] if target is None else target

    def epoch_of(self, step: int) -> int:
        """The epoch (from 0) that the step after ``step`` finished ones belongs to."""
        return bisect_right(self.ends, step)

    def start_of(self, epoch: int) -> int:
        """Steps finished before an epoch begins."""
        return self.ends[epoch - 1] if epoch else 0

    def due(self, cadence: str) -> Cadence:
        return Cadence(cadence, self)


class Cadence:
    """When something happens: the steps after which it is due. ``never``, ``end``, ``N steps``, ``N epochs``."""

    def __init__(self, text: str, course: Course) -> None:
        count, _, unit = text.partition(" ")
        self._course = course
        self.happens = text != "never"
        self._steps = int(count) if unit.startswith("step") else 0
        self._epochs = int(count) if unit.startswith("epoch") else 0

    def next(self, step: int) -> int:
        """The first step after ``step`` at which it is due; the end of the run always is, unless never."""
        total = self._course.total
        if not self.happens:
            return total + 1
        if self._steps:
            return min(total, (step // self._steps + 1) * self._steps)
        if self._epochs:
            finished = self._course.epoch_of(step)  # whole epochs behind us
            following = (finished // self._epochs + 1) * self._epochs
            ends = self._course.ends
            return min(total, ends[following - 1]) if following <= len(ends) else total
        return total

    def is_at(self, step: int, completes: bool, *, first: bool) -> bool:
        """Whether ``step`` is its time, or the run ``completes`` there; before any step, if it is ``first``."""
        if step:
            return self.next(step - 1) == step or (completes and self.happens)
        return first or (self._course.total == 0 and self.happens)

    def times(self, total: int | None = None) -> int:
        """How often it is due in a run, or in one that ends after ``total`` steps of it."""
        steps, ends = self._course.total if total is None else total, self._course.ends
        if not self.happens:
            return 0
        if self._steps:
            return max(1, -(-steps // self._steps))
        if self._epochs:
            whole = bisect_right(ends, steps)
            last = ends[whole - 1] == steps if whole else False
            return whole // self._epochs + (not last or whole % self._epochs != 0)
        return 1


class Loader:
    """Micro-batches for one step after the other, epoch after epoch, from a position on."""

    def __init__(
        self,
        split: Split,
        augment: Augment | None,
        engine: EngineConfig,
        device: Destination,
        course: Course,
        world: World | None = None,
    ) -> None:
        self.split, self._engine, self._device, self._course = split, engine, device, course
        # Overfitting a few batches shows whether a model can learn at all: augmentation would make others of them.
        self._augment = None if engine.overfit_batches else augment
        self._world = world or World()
        self.epoch = 0
        self.batch = 0
        self._augmented_for = 0.0
        self.shares: Sequence[float] = ()
        """Under several processes: what each batch last handed out counts here, its samples' share of the whole step's
        times the number of processes, whose mean is taken."""

    @property
    def augments(self) -> bool:
        """Whether it changes what the split gives."""
        return self._augment is not None

    def augmented(self) -> float:
        """Seconds that changing batches took since the last call; where the device does it, starting it."""
        seconds, self._augmented_for = self._augmented_for, 0.0
        return seconds

    def seek(self, step: int) -> None:
        """Go to the batch that follows ``step`` finished steps."""
        self.epoch = self._course.epoch_of(step)
        self.batch = (step - self._course.start_of(self.epoch)) * self._engine.accumulate

    def steps(self) -> Iterator[list[Batch]]:
        """The batches of each step, without end; ``epoch`` and ``batch`` are the position after the one handed out."""
        accumulate = self._engine.accumulate
        while True:
            plan = self.plan(self.epoch)
            usable = max(len(plan) // accumulate * accumulate, min(len(plan), accumulate))
            batches = self._batches(plan.first(usable))
            if accumulate == 1 and self._world.size == 1:  # a list and a slice of one would cost 0.17 µs more a step
                for batch in batches:
                    self.batch += 1
                    yield [batch]
            else:
                sizes = plan.sizes
                while self.batch < usable:
                    group = list(islice(batches, min(accumulate, usable - self.batch)))
                    self.shares = self._shares(sizes[self.batch : self.batch + len(group)])
                    self.batch += len(group)
                    yield group
            self.epoch, self.batch = self.epoch + 1, 0

    def plan(self, epoch: int) -> Plan:
        """The batches of an epoch, as the engine's limits leave them."""
        engine, size = self._engine, len(self.split)
        if engine.overfit_batches:
            plan: Plan = in_order(size, engine.batch_size)
        else:
            plan = self.split.planner.plan(size, engine.seed, epoch, engine.batch_size)
        return plan.first(self._course.batches[epoch])

    def _batches(self, plan: Plan) -> Iterator[Batch]:
        start, epoch, world = self.batch, self.epoch, self._world
        # Every rank draws the same permutation and takes its slice of each batch, which stays what one process sees.
        own = plan if world.size == 1 else plan.shard(world.rank, world.size)
        batches = self.split.batches(own, seed=self._engine.seed, epoch=epoch, start=start)
        return batches if self._augment is None else self._augmented(batches, self._augment, plan, epoch, start)

    def _augmented(
        self, batches: Iterator[Batch], augment: Augment, plan: Plan, epoch: int, start: int
    ) -> Iterator[Batch]:
        """Parameters are drawn for the whole batch; each process takes its own slice of them."""
        rank, ranks = self._world.rank, self._world.size
        for number, batch in enumerate(batches, start):
            began = time.monotonic()
            count = len(plan[number])
            own = slice(count * rank // ranks, count * (rank + 1) // ranks)
            drawn = augment.draw(rng(self._engine.seed, "augment", epoch, number), count)
            moved = {name: self._device.put(torch.from_numpy(values[own])) for name, values in drawn.items()}
            changed = augment.apply(batch, moved)
            self._augmented_for += time.monotonic() - began
            yield changed

    def _shares(self, sizes: Sequence[int]) -> Sequence[float]:
        """Of a step's batches, which have so many samples over all processes."""
        rank, ranks = self._world.rank, self._world.size
        return [(size * (rank + 1) // ranks - size * rank // ranks) * ranks / sum(sizes) for size in sizes]


def evaluation_batches(split: Split, engine: EngineConfig) -> Iterator[Batch]:
    """Every sample of a split once, in order, nothing random; fewer under ``limit_batches``."""
    return split.batches(_whole(split, engine), seed=engine.seed, epoch=None)


def evaluation_count(split: Split, engine: EngineConfig) -> int:
    """How many batches those are."""
    return len(_whole(split, engine))


def _whole(split: Split, engine: EngineConfig) -> Plan:
    plan = in_order(len(split), engine.eval_batch_size)
    return plan.first(engine.limit_batches or len(plan))


def evaluation_plan(split: Split, engine: EngineConfig) -> Plan:
    """The batches of an evaluation while training; under ``overfit_batches``, those that are trained on."""
    if engine.overfit_batches:
        return in_order(len(split), engine.batch_size).first(engine.overfit_batches)
    return _whole(split, engine)


def own_part(plan: Plan, rank: int, ranks: int) -> Plan:
    """One rank's contiguous part of the samples, in batches that are smaller in proportion; rank 0's is the least."""
    if ranks == 1:
        return plan
    count, size = len(plan.order), -(-max(plan.sizes, default=1) // ranks)
    order = plan.order[count * rank // ranks : count * (rank + 1) // ranks]
    return Plan(order, np.minimum(np.arange(-(-len(order) // size) + 1) * size, len(order)))


def _limit(engine: EngineConfig, batches: int) -> int:
    limits = [n for n in (engine.limit_batches, engine.overfit_batches) if n is not None]
    return max(1, min([batches, *limits]))
