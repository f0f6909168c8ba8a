"""A run that is left after its first steps, and what that tells of the whole of it."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.config import Resolved
from dlkit.data.context import Context
from dlkit.engine.attempt import Attempt
from dlkit.engine.probe.busy import Busy
from dlkit.engine.probe.loop import PREPARING_SECONDS, ProbeLoop, TakesLong
from dlkit.engine.probe.memory import forget_peak, peak_memory
from dlkit.engine.probe.timings import Timings
from dlkit.engine.start import start
from dlkit.engine.threads import AskCores
from dlkit.errors import RunError
from dlkit.runs.estimates import Estimate
from dlkit.runs.folder import RunFolder, disk_use
from dlkit.runs.workspace import prepared

BEST_TOO = 2
"""Checkpoints that lie there beside those that are kept: the best, and the one that is being written."""


def estimate(
    catalog: Catalog,
    resolved: Resolved,
    context: Context,
    folder: Path,
    timings: Timings,
    *,
    seconds: float,
    cores: AskCores,
) -> Estimate:
    """Take a run's first steps in ``folder`` for about so many ``seconds``, and tell what all of it will take.

    What building it raises; what its steps raise, for memory or otherwise.
    """
    forget_peak()  # of another configuration, which this process tried before
    busy, began = Busy(), time.monotonic()
    alone, shared = _as_one(resolved)
    _see_what_is_prepared(context.workspace, folder)
    attempt = start(catalog, alone, folder, context, cores=cores)
    starting, timings.lacks_memory = time.monotonic() - began, attempt.job.placement.device.is_out_of_memory
    try:
        _take_steps(attempt, timings, seconds)
    except TakesLong as error:
        return _without_steps(attempt, starting, str(error))
    found = _Whole(attempt, timings).told()
    return replace(found, starting=starting, unknown=(*shared, *found.unknown, *busy.told()))


def _as_one(resolved: Resolved) -> tuple[Resolved, list[str]]:
    """Of several processes, one with its share of each batch; and what of the whole that does not tell."""
    count, engine = resolved.job.nproc, resolved.engine
    if count == 1:
        return resolved, []
    one = resolved.with_engine(batch_size=max(1, engine.batch_size // count))
    sections = {**one.sections, "job": one.job.model_copy(update={"nproc": 1})}
    why = f"{count} processes exchange gradients: one was tried, with its share of each batch, without the exchange"
    return replace(one, sections=sections), [why]


def _see_what_is_prepared(workspace: Path | None, folder: Path) -> None:
    """Links to what earlier runs have prepared: a run finds it there, and what is tried here writes nothing beside."""
    if workspace is None:
        return
    source, target = prepared(workspace).absolute(), prepared(folder)
    for place, _, files in os.walk(source):
        there = target / Path(place).relative_to(source)
        with suppress(OSError):  # a copy of nothing only costs the time to compute it
            there.mkdir(parents=True, exist_ok=True)
            for name in files:
                (there / name).symlink_to(Path(place, name))


def _take_steps(attempt: Attempt, timings: Timings, seconds: float) -> None:
    loop = partial(ProbeLoop, timings=timings, seconds=seconds)
    # With a place for its report, the loop raises what ends it: whether that was memory is told by the error.
    deque(attempt.events(loop=loop, report=attempt.run.path / ".report-0.json"), maxlen=0)


def _without_steps(attempt: Attempt, starting: float, why: str) -> Estimate:
    placement, steps = attempt.job.placement, attempt.job.course.total
    later = f"{why}: how long the run takes is not known after {PREPARING_SECONDS:.0f} s of it"
    return Estimate(
        starting=starting, steps=steps, memory=peak_memory(), device=placement.name,
        device_memory=placement.device.peak(), unknown=(later,),
    )  # fmt: skip


class _Whole:
    """From timings of the first steps to the run."""

    def __init__(self, attempt: Attempt, timings: Timings) -> None:
        self._job, self._run, self._timings = attempt.job, attempt.run, timings
        self._engine, self._steps = attempt.job.resolved.engine, attempt.job.course.total
        self._measured = self._in_all(self._run) - timings.again
        self._unknown: list[str] = []

    @staticmethod
    def _in_all(run: RunFolder) -> float:
        """What the run that was tried has taken, by its own clock."""
        result = run.read().get("result")
        if result is None:
            raise RunError(f"{run.id}: it has not said how it ended")
        return result["seconds"]

    def told(self) -> Estimate:
        job, timings = self._job, self._timings
        steps, parts = self._until_the_time_is_up()
        if self._engine.early_stopping:
            self._unknown.append("early stopping may end it sooner")
        # Texts that are written token by token end sooner, or later, than those of a model that knows nothing.
        if callable(getattr(job.task.metrics(job.info), "ask", None)):
            self._unknown.append("evaluations ask the model: once trained it may take more or less time for an answer")
        one = max((disk_use(str(path)) for path in self._run.checkpoints.iterdir()), default=0)
        return Estimate(
            seconds=sum(parts.values()),
            step=timings.step or None,
            steps=steps,
            tried=timings.steps,
            parts=parts,
            memory=max(peak_memory(), timings.most_memory),
            device=job.placement.name,
            device_memory=job.placement.device.peak(),
            checkpoint=one,
            disk=self._disk(steps, one, sum(parts.values())),
            unknown=tuple(self._unknown),
        )

    def _until_the_time_is_up(self) -> tuple[int, dict[str, float]]:
        """Steps and seconds by kind, of the run or of what ``max_time`` leaves of it."""
        parts, most = self._parts(self._steps), self._engine.max_time
        if most is None or (whole := sum(parts.values())) <= most:
            return self._steps, parts
        ready = parts["preparing"] + self._fixed
        steps = max(self._timings.steps, int(self._steps * max(0.0, most - ready) / max(whole - ready, 1e-9)))
        self._unknown.append(f"max_time ends it after about {steps} of {self._steps} steps")
        # By then it is evaluated, sampled and stored once more.
        return steps, self._parts(steps)

    def _parts(self, steps: int) -> dict[str, float]:
        """Seconds by kind of a run of so many steps."""
        timings, often = self._timings, self._often(steps)
        # Short runs are mostly beginnings, which nothing can be concluded from: they are taken to their end.
        if timings.steps >= self._steps:  # nothing is left to be guessed
            done = {kind: timings.total(kind) for kind in ("preparing", "evaluations", "samples")}
            parts = {**done, "training": timings.training, "checkpoints": timings.total("checkpoints") + timings.last}
            return {**parts, "rest": max(0.0, self._measured - sum(parts.values()))}
        parts = {
            "preparing": timings.total("preparing"),
            "training": timings.train(steps),
            **{kind: timings.all_of(kind, count) for kind, count in often.items()},
        }
        checkpoints = self._checkpoints(often, sum(parts.values()))
        parts["checkpoints"] = timings.all_of("checkpoints", checkpoints) + timings.last
        others = max(0.0, timings.stepping - timings.training - timings.spent)
        longer = parts["training"] / timings.training if timings.training else 1.0
        return {**parts, "rest": self._fixed + others * longer}

    def _often(self, steps: int) -> dict[str, int]:
        """How many evaluations and samplings so many steps have."""
        due, engine = self._job.course.due, self._engine
        evaluations = due(engine.eval_every).times(steps) + engine.eval_first
        return {"evaluations": evaluations, "samples": due(engine.sample_every).times(steps)}

    def _checkpoints(self, often: Mapping[str, int], seconds: float) -> int:
        """One when it is the best, which each evaluation may be, and one every so many seconds."""
        return often["evaluations"] + int(seconds / self._engine.checkpoint_every)

    @property
    def _fixed(self) -> float:
        """What a run of any length takes: to begin, to end."""
        return max(0.0, self._measured - self._timings.stepping - self._timings.total("preparing"))

    def _disk(self, steps: int, checkpoint: int, seconds: float) -> int:
        """The folder at its largest: logs and samples grow with the run, of checkpoints so many are kept."""
        run, timings, often = self._run, self._timings, self._often(steps)
        log, samples = run.events.stat().st_size, disk_use(str(run.samples))
        fixed = disk_use(str(run.path)) - log - samples - disk_use(str(run.checkpoints))
        kept = min(self._engine.keep + BEST_TOO, 1 + self._checkpoints(often, seconds))
        pictures = samples / max(1, len(timings.done.get("samples", ()))) * often["samples"]
        return int(fixed + log * max(1.0, steps / max(1, timings.steps)) + pictures + kept * checkpoint)
