"""What an answer that does not look at its input comes to, by the task's own metrics: measured once, beside the first
evaluation, whose batches are there anyway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import torch

from dlkit.data.constant import Answer
from dlkit.data.randomness import forked
from dlkit.data.splits import Batch
from dlkit.engine.build import Job
from dlkit.engine.journal import Journal
from dlkit.engine.means import RunningMeans
from dlkit.errors import in_words
from dlkit.events import Event
from dlkit.json_types import JsonObject
from dlkit.runs.folder import RunFolder


class Baseline:
    """Of one run: ``begin`` gives who measures it, until it has been measured. Nothing of it ever fails a run."""

    def __init__(self, job: Job, run: RunFolder) -> None:
        self._problem = ""
        self._job = job
        # Rank 0's share of the batches is enough to compare with, and nobody has to wait for another.
        self._wanted = job.world.rank_zero and not _measured(run)

    def begin(self) -> Beside | None:
        """For one evaluation; None: it is known, or nobody can know it."""
        if not self._wanted:
            return None
        job, found = self._job, None
        try:
            with forked(job.resolved.engine.seed, "constant", device=job.placement.device), torch.no_grad():
                answer = job.task.constant(job.info, job.data.train)
            found = Beside(job, answer) if answer is not None else None
        # The plugin boundary: a figure to compare with is not worth a run.
        except Exception as error:
            self._give_up(error)
        # A task has one or has none: it is asked once an attempt, and again only where an evaluation was cut short.
        self._wanted = found is not None
        return found

    def conclude(self, beside: Beside | None, journal: Journal) -> Iterator[Event]:
        """After all batches of an evaluation: into run.json with it, or a notice of why it is not known, once."""
        if beside is not None:
            self._wanted = False
            if found := self._found(beside):
                journal.update(baseline=found)
        problem, self._problem = self._problem, ""
        if problem:
            yield journal.notice(problem)

    def _found(self, beside: Beside) -> JsonObject:
        """Its main metrics; nothing where it failed."""
        try:
            beside.raise_failure()
            return {name: value for name, value in beside.values().items() if name.count("/") == 1}
        # The plugin boundary, as above.
        except Exception as error:
            self._give_up(error)
            return {}

    def _give_up(self, error: BaseException) -> None:
        self._problem = f"task {self._job.task.name!r}: its constant answer cannot be measured: {in_words(error)}"


class Beside:
    """Metrics of the constant answer, over the batches of one evaluation."""

    def __init__(self, job: Job, answer: Answer) -> None:
        self._failed: BaseException | None = None
        self._answer = answer
        self._metrics = job.task.metrics(job.info)
        self._losses = _Losses(job)

    def update(self, batch: Batch) -> None:
        """Inside ``trainer.evaluating()``."""
        if self._failed is not None:
            return
        try:
            outputs = self._answer(batch)
            self._metrics.update(outputs, batch)
            self._losses.add(outputs, batch)
        # The plugin boundary, as above.
        except Exception as error:
            self._failed = error

    def raise_failure(self) -> None:
        """What its code raised, if it did."""
        if self._failed is not None:
            raise self._failed

    def values(self) -> dict[str, float]:
        """By full name."""
        measured = {name: float(value) for name, value in self._metrics.compute().items()}
        return {f"val/{name}": value for name, value in {**self._losses.numbers(), **measured}.items()}


class _Losses:
    """The loss of constant answers; of a loss that asks for more than the task's outputs, nothing."""

    def __init__(self, job: Job) -> None:
        self._trainer, self._means = job.trainer, RunningMeans(job.trainer.means)
        self._known = True

    def add(self, outputs: object, batch: Batch) -> None:
        if not self._known:
            return
        try:
            self._means.add(self._trainer.evaluate_losses(outputs, batch), batch)
        # A loss may look at what only its own models return.
        except Exception:
            self._known = False

    def numbers(self) -> dict[str, float]:
        return self._means.numbers() if self._known else {}


def _measured(run: RunFolder) -> bool:
    with suppress(OSError, ValueError):
        return "baseline" in run.read()
    return False
