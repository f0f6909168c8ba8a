"""The loop of a run that is only tried: it ends when enough is known, and times what it does."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from dlkit.engine.build import Job
from dlkit.engine.checkpoint_keeper import CheckpointKeeper
from dlkit.engine.evaluation import Evaluation
from dlkit.engine.journal import Journal
from dlkit.engine.loader import Cadence, evaluation_plan
from dlkit.engine.loop import Loop
from dlkit.engine.orders import Agreed, Inbox
from dlkit.engine.probe.memory import memory_with_children
from dlkit.engine.probe.timings import Timings
from dlkit.engine.resuming import Resuming
from dlkit.engine.sampling import make_samples
from dlkit.engine.signals import StopSignals
from dlkit.errors import RunError
from dlkit.events import Event, Preparing
from dlkit.runs.folder import RunFolder

PREPARING_SECONDS = 10.0
"""How long a preparation may take before the probe gives up: what comes after it can then not be known."""
EVALUATING_SECONDS = 2.0
"""How long one evaluation is measured; the rest of its batches are taken to be like those."""
LEAST_STEPS = 3
"""The first step of a run is slow; those after it tell how slow the others are."""
LEAST_BATCHES = 3
"""The same of an evaluation's batches."""
SLOW = 4
"""Evaluations and the like may take so many times the seconds that are meant for steps, and no more is waited for."""


class TakesLong(RunError):
    """The preparation is not done in reasonable time: how long the run takes cannot be known."""


class ProbeLoop(Loop):
    """Ends, as a run whose time is up, after ``seconds`` of training: evaluated, sampled and stored once at least."""

    def __init__(
        self,
        job: Job,
        run: RunFolder,
        *,
        resuming: Resuming | None = None,
        signals: StopSignals | None = None,
        inbox: Inbox | None = None,
        report: Path | None = None,
        timings: Timings,
        seconds: float,
    ) -> None:
        self.timings, self._seconds = timings, seconds
        super().__init__(job, run, resuming=resuming, signals=signals, inbox=inbox, report=report)

    def _new_journal(self) -> Journal:
        return Journal(self._job, self._run, self.progress, observed=False)  # nobody is told of a run that is none

    def _new_keeper(self, inbox: Inbox) -> CheckpointKeeper:
        return ProbeKeeper(self.timings, self._job, self._run, self.progress, self._settings, inbox, self._journal)

    def _agree(self) -> Agreed:
        timings, step, training = self.timings, self.progress.step, self.progress.train_seconds
        if step and (not timings.marks or timings.marks[-1][0] < step):
            timings.marks.append((step, training))
        if self._job.resolved.engine.workers:  # loaders are processes too, of which the peak is nowhere told
            timings.most_memory = max(timings.most_memory, memory_with_children())
        if step < self._job.course.total and self._enough(step, training):
            self._orders.end("tried", completes=True)
        return super()._agree()

    def _enough(self, step: int, training: float) -> bool:
        # Where evaluations come often, few of the seconds are training's.
        long = time.monotonic() - self.timings.began > SLOW * self._seconds
        return step >= LEAST_STEPS and (training >= self._seconds or long)

    def _prepare(self) -> Generator[Event, None, None]:
        began = time.monotonic()
        with self.timings.during("the preparation"):
            for event in super()._prepare():
                spent = time.monotonic() - began
                if isinstance(event, Preparing) and spent > PREPARING_SECONDS and event.done < event.total:
                    raise TakesLong(_how_far(event, spent))
                yield event
        self.timings.took("preparing", time.monotonic() - began)

    def _steps(self) -> Iterator[Event]:
        began = self.timings.began = time.monotonic()
        with self.timings.during("training"):
            yield from super()._steps()
        self.timings.stepping = time.monotonic() - began

    def _evaluate(self) -> Iterator[Event]:
        yield from self._timed("evaluations", super()._evaluate(), lambda: self.progress.evaluated)

    def _sample(self) -> Generator[Event, None, None]:
        events = self._timed("samples", super()._sample(), lambda: self.progress.sampled)
        if not self._due(self._samplings, self.progress.sampled):
            yield from events
            return
        with self.timings.during("sampling"):
            yield from events

    def _conclude(self) -> Generator[Event, None, None]:
        yield from super()._conclude()
        if self.progress.step >= self._job.course.total:  # it has all been seen
            return
        began = time.monotonic()
        # What was done once had costs of its own (imports, the first pass): once more tells what the others take.
        if self._once("evaluations", self._evaluations):
            self._again("evaluations", lambda: deque(self._measured(), maxlen=0))
        if self._once("samples", self._samplings):
            step = self.progress.step + 1
            self._again("samples", lambda: make_samples(self._job, self._seen, self._run, step, self._watch))
        self.timings.again = time.monotonic() - began

    def _again(self, kind: str, do: Callable[[], object]) -> None:
        before, began = len(self.timings.done[kind]), time.monotonic()
        do()
        if len(self.timings.done[kind]) == before:  # what was left in the midst has told its time itself
            self.timings.took(kind, time.monotonic() - began)

    def _once(self, kind: str, due: Cadence) -> bool:
        """Whether it was done once, in little time, and the run does it more often."""
        done = self.timings.done.get(kind, ())
        return len(done) == 1 and done[0] < EVALUATING_SECONDS and due.times() > 1

    def _timed(self, kind: str, events: Iterator[Event], mark: Callable[[], int]) -> Iterator[Event]:
        """Events, and how long it took to make them, where anything was done."""
        before, began = mark(), time.monotonic()
        yield from events
        if mark() != before:
            self.timings.took(kind, spent := time.monotonic() - began)
            self.timings.spent += spent

    def _measured(self) -> Generator[Event, None, dict[str, float] | None]:
        """As far as time suffices; None of an evaluation that was left, whose whole is extrapolated."""
        split = self._train if self._job.resolved.engine.overfit_batches else self._val
        count = len(evaluation_plan(split, self._job.resolved.engine))
        began, done, warm = time.monotonic(), 0, 0.0
        stage = self.timings.during("an evaluation")
        with stage, Evaluation(self._job, split, self.progress.step) as evaluation:
            for done, _ in enumerate(evaluation.batches(), 1):
                spent = time.monotonic() - began
                warm = warm or spent
                if LEAST_BATCHES <= done < count and spent > EVALUATING_SECONDS:
                    break
        spent = time.monotonic() - began
        # Not judged, nor recorded: metrics of a part would be the best of a run that never measured them.
        if done < count:
            self.timings.took("evaluations", warm + (spent - warm) * (count - 1) / (done - 1))
            self.timings.spent += spent
            return None
        yield from ()  # a generator, as that in its place: orders are looked for between batches there
        return evaluation.values()


class ProbeKeeper(CheckpointKeeper):
    """Times what checkpoints keep the loop from."""

    def __init__(self, timings: Timings, *parts: object) -> None:
        self.timings = timings
        super().__init__(*parts)  # type: ignore[arg-type]

    def attend(self) -> Iterator[Event]:
        began, before = time.monotonic(), self._submitted
        yield from super().attend()
        spent = time.monotonic() - began
        self.timings.spent += spent
        if self._submitted != before:
            self.timings.took("checkpoints", spent)

    def write_last(self) -> Iterator[Event]:
        began = time.monotonic()
        yield from super().write_last()
        self.timings.last = time.monotonic() - began
        self.timings.spent += self.timings.last

    def _write(self) -> None:
        with self.timings.during("a checkpoint"):
            super()._write()


def _how_far(event: Preparing, spent: float) -> str:
    rest = f"; {spent * event.total / event.done:.0f} s for these alone" if event.done else ""
    return f"its preparation takes long: {event.text}, {event.done} of {event.total} rows in {spent:.0f} s{rest}"
