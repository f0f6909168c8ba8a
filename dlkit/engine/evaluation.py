"""Evaluation: a split's metrics, leaving everything as found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from dlkit.data.randomness import forked, generators, restore_generators
from dlkit.data.splits import Batch, Split
from dlkit.engine.baseline import Beside
from dlkit.engine.build import Job
from dlkit.engine.contract import blaming
from dlkit.engine.distributed import World
from dlkit.engine.loader import evaluation_plan, own_part
from dlkit.engine.means import RunningMeans
from dlkit.engine.trainer import Trainer
from dlkit.task import AnyTask, Info, OverRanks


class Meter:
    """Metrics and mean losses of the batches given to it; ``update`` inside ``trainer.evaluating()``.

    ``thorough``: what metrics ask of the model itself they may ask about every sample, however long that takes.
    """

    def __init__(
        self, trainer: Trainer, task: AnyTask, info: Info, world: World | None = None, *, thorough: bool = False
    ) -> None:
        self._trainer, self._world, self._thorough = trainer, world or World(), thorough
        # Whatever metrics raise names the task: what a person chose, and the plugin that is to be mended.
        self._blaming = partial(blaming, f"task {task.name!r}: metrics")
        with self._blaming():
            self._metrics = task.metrics(info)
        self._ask = getattr(self._metrics, "ask", None)
        self._losses = RunningMeans(trainer.means)

    def update(self, batch: Batch) -> None:
        outputs = self._trainer.evaluate(batch)
        with self._blaming():
            self._metrics.update(outputs, batch)
            # What no forward pass shows (translations, say); state of this one pass: interruptions change nothing.
            if self._ask is not None:
                self._ask(self._trainer.model, batch, self._thorough)
        self._losses.add(self._trainer.evaluate_losses(outputs, batch), batch)

    def compute(self, prefix: str) -> dict[str, float]:
        """Metrics by full name (``val/accuracy``). The device is read here only."""
        if self._world.size > 1:
            self._reduce(self._world)
        losses = self._losses.numbers()
        with self._blaming():
            measured = {name: float(value) for name, value in self._metrics.compute().items()}
        return {f"{prefix}/{name}": value for name, value in {**losses, **measured}.items()}

    def _reduce(self, world: World) -> None:
        """What all ranks have seen together."""
        self._losses.reduce(world)
        reduce = getattr(self._metrics, "reduce", None)
        if reduce is not None:
            with self._blaming():
                reduce(OverRanks(world.sum, world.rank, world.size))


def evaluate(trainer: Trainer, task: AnyTask, info: Info, batches: Iterable[Batch], prefix: str) -> dict[str, float]:
    """One thorough pass over a split, without interruption."""
    meter = Meter(trainer, task, info, thorough=True)
    with trainer.evaluating():
        for batch in batches:
            meter.update(batch)
    return meter.compute(prefix)


class Evaluation:
    """An evaluation in the midst of training: a context, within which its batches are measured one by one.

    Between two of them the caller may leave for other things: ``with evaluation.suspended():`` puts everything (which
    weights, which mode, every generator) as it was outside, and then back. Nothing here changes a weight.
    """

    def __init__(self, job: Job, split: Split, step: int, beside: Beside | None = None) -> None:
        """``beside``: who measures something else on the same batches."""
        self._job, self._world, self._step, self.beside = job, job.world, step, beside
        self._engine, self._device = job.resolved.engine, job.placement.device
        self._meter = Meter(job.trainer, job.task, job.info, job.world)
        self._split, self._plan = split, evaluation_plan(split, self._engine)
        self._frame = ExitStack()

    def __enter__(self) -> Evaluation:
        self._frame.enter_context(self._evaluating())
        # Here, where averaged statistics are in the place of the last ones: rank 0's batch norm is every rank's.
        self._world.align(self._job.trainer.model)
        return self

    def __exit__(self, *_: object) -> None:
        self._frame.close()

    def batches(self) -> Iterator[bool]:
        """Measures this rank's batches; after each, whether every rank has one of this number."""
        world, engine = self._world, self._engine
        fewest = len(own_part(self._plan, 0, world.size))  # rank 0 has the fewest
        own = own_part(self._plan, world.rank, world.size)
        for number, batch in enumerate(self._split.batches(own, seed=engine.seed, epoch=None)):
            self._meter.update(batch)
            if self.beside is not None:
                self.beside.update(batch)
            yield number < fewest

    def values(self) -> dict[str, float]:
        """The metrics, the same on all ranks; after the context."""
        return self._world.share(self._meter.compute("val"))

    @contextmanager
    def suspended(self) -> Iterator[None]:
        inside = generators(self._device)  # the evaluation's own streams, to be gone on with
        self._frame.close()
        try:
            yield
        finally:
            self._frame.enter_context(self._evaluating())
            restore_generators(inside, self._device)

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        # What a model draws itself differs on every rank; of one process, or rank 0, the stream has no number.
        rank = [self._world.rank] if self._world.rank else []
        stream = forked(self._engine.seed, "evaluate", self._step, *rank, device=self._device)
        with stream, self._job.trainer.evaluating():
            yield
