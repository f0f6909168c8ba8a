"""The loop: a generator of events that knows nothing of tasks.

One fixed order after each step that something is due at: log, obey, evaluate, sample, checkpoint, stop. An event is
recorded before it is yielded, so a consumer that is slow or gone loses nothing; closing the generator stops the run.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from dlkit import events, samples
from dlkit.data.randomness import derive, forked, seed_all
from dlkit.data.splits import Batch, OnHost
from dlkit.engine import checkpoint as storage
from dlkit.engine.build import Job
from dlkit.engine.columns import NonFiniteMetric, averaged, columns, first_non_finite
from dlkit.engine.evaluation import Interruptible, Meter, first_bad
from dlkit.engine.loader import Cadence, Loader, evaluation_plan, own_part
from dlkit.engine.recording import Recorder
from dlkit.engine.signals import StopSignals
from dlkit.errors import PluginError
from dlkit.runs.commands import Command
from dlkit.runs.folder import RunFolder

FLUSH_SECONDS = 0.25
PAUSE_SECONDS = 0.05
"""How often a paused run looks whether it is to go on."""
SAMPLES = 24
E = TypeVar("E", bound=events.Event)


class Loop(Recorder):
    """One attempt at a run, from its start or from a checkpoint.

    ``differences`` are what an inexact resume may not reproduce; ``signals`` may be shared with a caller that wants
    to stop the run from outside. ``inbox`` is where commands come from. With ``report``, the run has a supervisor: a
    failure is left there and raised, and the supervisor says how the run ends.
    """

    def __init__(self, job: Job, run: RunFolder, **how: Any) -> None:
        super().__init__(job, run, **how)
        course = job.course
        self._loader = Loader(self._train, job.data.augment, self.engine, self._device, course, job.world)
        self._evaluations = course.due(self.engine.eval_every)
        self._sampling = course.due(self.engine.sample_every)
        self._closing = self._paused = False
        self._overdue = ""
        self._asked: set[str] = set()
        self._agreed, self._rate = 1, 0.0
        self._bad: NonFiniteMetric | None = None
        self._last_flush = time.monotonic()

    def __iter__(self) -> Iterator[events.Event]:
        with ExitStack() as stack:
            self._open(stack)
            try:
                yield self._begin()
                yield from self._steps()
                yield self._finish("stopped" if self._cut_short else "completed")
            except GeneratorExit:
                self._leave()
                raise
            except KeyboardInterrupt:
                self._ending = f"{self.signals.asked or 'interrupted'}, at once"
                yield self._finish("stopped")
            # The run's boundary: whatever a component or the disk does ends this run as failed, with its reason.
            except (Exception, SystemExit) as error:
                if self._report is not None:
                    self._tell_supervisor(error, self._report)
                    raise
                yield self._fail(error)

    def _begin(self) -> events.Event:
        if self._resume is not None:
            self._restore(self._resume)
        else:
            seed_all(derive(self.engine.seed, "train", *([self._world.rank] if self._world.rank else [])), self._device)
            if self._resumed:
                self._settings.restore({}, (), self.run.events, 0)
        self.progress.evaluated, self.progress.sampled = (
            self.step if done is None else done for done in (self.progress.evaluated, self.progress.sampled)
        )
        if self._resume is not None:
            self._submitted = self._mark
        if self._world.rank_zero:
            storage.clear_void(self.run.path, self.step)
        self._checkpoint_due = time.monotonic() + self.engine.checkpoint_every
        total, ends = self.job.course.total, self.job.course.ends
        self._update(state="running", total_steps=total, pid=os.getpid(), reason="", result=None)
        if self._resumed:
            exact = not self._differences
            return self._record(
                events.Resumed(
                    from_step=self.step,
                    total_steps=total,
                    epoch_steps=ends[0],
                    from_seq=self._resume.manifest.seq if self._resume is not None else -1,
                    exact=exact,
                    differences=self._differences,
                )
            )
        return self._record(events.Started(total_steps=total, epoch_steps=ends[0], summary=self.job.summary))

    def _steps(self) -> Iterator[events.Event]:
        step_of, clock, rows = self.job.trainer.step, time.monotonic, self._rows
        alone, total = self._world.size == 1, self.job.course.total
        # Several processes attend, and stop, at steps that they agree on beforehand.
        signals, patience = (self.signals, FLUSH_SECONDS) if alone else (StopSignals(), math.inf)
        self._loader.seek(self.step)
        batches = self._loader.steps() if alone else self._shared_steps()
        yield from self._attend()  # what was due at this step before the run was cut short
        wake, flush_at, began = self._next_wake(), clock() + patience, clock()
        n = self.step
        while n < total and not self._ending:
            rows.append(step_of(next(batches), n))
            n += 1
            if n < wake and clock() < flush_at and not signals.asked:
                continue
            self.step = n
            self.progress.train_seconds += clock() - began
            yield from self._log_steps()
            yield from self._attend()
            wake, began = self._next_wake(), clock()
            flush_at = began + patience
        yield from self._settle()

    def _shared_steps(self) -> Iterator[list[Batch]]:
        """This process's part of each step's batches, the trainer knowing how much of the whole that is."""
        for batches in self._loader.steps():
            self.job.trainer.shares = self._loader.shares
            yield batches

    def _attend(self) -> Iterator[events.Event]:
        """Everything but steps, in its order."""
        yield from self._obey()
        yield from self._evaluate_if_due()
        yield from self._sample_if_due()
        yield from self._checkpoint_if_due()

    def _next_wake(self) -> float:
        planned = (self._evaluations.next(self.step), self._sampling.next(self.step), self._settings.next_step())
        agreed = math.inf if self._world.size == 1 else self.step + self._agreed
        return min(*planned, agreed, self.job.course.total)

    def _log_steps(self) -> Iterator[events.Event]:
        rows, first = list(self._rows), self.step - len(self._rows) + 1
        self._rows.clear()  # whatever comes of them, they are dealt with
        now = time.monotonic()
        rate = self._rate = len(rows) / max(now - self._last_flush, 1e-9)
        self._last_flush = now
        epoch = self.job.course.epoch_of(self.step - 1) if self.step else 0
        told: dict[str, Any] = {"epoch": epoch, "rate": rate, "time_left": self._seconds_left(now)}
        parts = list(columns(rows, first))
        if self._world.size > 1:
            parts = averaged(parts, self._world)
        recorded: list[events.Event] = [
            self._record(events.MetricsLogged(first=p.first, count=p.count, every=p.every, values=p.values, **told))
            for p in parts
        ]
        for part in parts:
            self.progress.metrics.update({name: column[-1] for name, column in part.values.items()})
        self._bad = first_non_finite(parts)
        recorded += [self._record(events.Machine(step=self.step, **measured)) for measured in self._sampler.drain()]
        yield from recorded  # all are in the log by now: a consumer that leaves here loses none
        if self._bad is not None:
            raise self._bad
        for text in self._observers.switched_off():
            yield self._notice(text)

    def _due(self, cadence: Cadence, done: int | None) -> bool:
        """By its cadence, or because the run ends here before its planned end; ``done``: the step it last was at."""
        at_its_time = cadence.next(self.step - 1) == self.step or (self._closing and cadence.happens)
        return (done or 0) < self.step and at_its_time and not self._cut_short

    @property
    def _cut_short(self) -> bool:
        """Whether somebody ended the run before its planned end: what is due now is left to a resume."""
        return bool(self._ending) and not self._closing and self.step < self.job.course.total

    def _evaluate_if_due(self) -> Iterator[events.Event]:
        if not self._due(self._evaluations, self.progress.evaluated):
            return
        values = yield from self._measured()
        if values is None:  # stopped meanwhile
            return
        self._last_flush = time.monotonic()
        lists = {name: [value] for name, value in values.items()}
        event = self._record(events.MetricsLogged(first=self.step, count=1, values=lists, epoch=self._epoch()))
        self.progress.evaluated = self.step
        if (name := first_bad(values)) is not None:
            self._bad = NonFiniteMetric(name, values[name], self.step)
        else:
            self.progress.metrics.update(values)
            self._judge(values)
        yield event  # all that follows from it is done: a consumer that leaves here changes nothing
        if self._bad is not None:
            raise self._bad

    def _measured(self) -> Generator[events.Event, None, dict[str, float] | None]:
        """The validation split's metrics; commands are obeyed between its batches, and a stop ends it."""
        job, world = self.job, self._world
        meter = Meter(job.trainer, job.task, job.info, world)
        split = self._train if self.engine.overfit_batches else self._val
        plan = evaluation_plan(split, self.engine)
        self._evaluation_batches = len(own_part(plan, 0, world.size))  # rank 0 has the fewest
        batches = split.batches(own_part(plan, world.rank, world.size), seed=self.engine.seed, epoch=None)
        with Interruptible(self._evaluating, self._device) as frame:
            world.align(job.trainer.model)  # here, where averaged statistics are in the place of the last ones
            for number, batch in enumerate(batches):
                meter.update(batch)
                if orders := self._meanwhile(number):
                    with frame.suspended():
                        yield from self._obey(orders)
                        yield from self._sample_if_due()
                        yield from self._checkpoint_if_due()
                if self._cut_short:
                    return None
        return world.share(meter.compute("val"))

    def _meanwhile(self, number: int) -> dict[str, Any] | None:
        """What is asked for after this batch of an evaluation."""
        if self._world.size == 1:
            return self._look() if self.signals.asked or self._inbox.due() else None
        if number >= self._evaluation_batches:  # not every process has as many batches
            return None
        orders = self._agree()
        return orders if len(orders) > 2 or orders["asked"] else None

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        rank = [self._world.rank] if self._world.rank else []  # what a model draws itself differs on every rank
        with forked(self.engine.seed, "evaluate", self.step, *rank, device=self._device), self.job.trainer.evaluating():
            yield

    def _judge(self, values: dict[str, float]) -> None:
        """Is this the best so far, and is it time to give up?"""
        spec, progress = self.job.resolved.task, self.progress
        if spec.metric not in values:
            raise PluginError(f"task {spec.name!r}: metrics() gave no {spec.metric!r}; it gave: {', '.join(values)}")
        value, best = values[spec.metric], progress.best
        if best is None or (value < best if spec.direction == "min" else value > best):
            progress.best, progress.best_step, progress.stale = value, self.step, 0
            progress.best_metrics = dict(values)
            self._improved = True
        else:
            progress.stale += 1
            if self.engine.early_stopping and progress.stale >= self.engine.early_stopping:
                self._ending = f"early stopping: no better {spec.metric} in {progress.stale} evaluations"
                self._closing = True

    def _sample_if_due(self) -> Iterator[events.Event]:
        asked = "sample" in self._asked and self.progress.sampled != self.step
        self._asked.discard("sample")
        if not asked and not self._due(self._sampling, self.progress.sampled):
            return
        self.progress.sampled = self.step
        if not self._world.rank_zero:
            return
        # The same draws every time: pictures of different steps can be compared.
        with forked(self.engine.seed, "samples", device=self._device) as generator, self.job.trainer.evaluating():
            made = self.job.predictor.samples(SAMPLES, generator, OnHost(self._val))
        refs = []
        for sample in made:
            stem = f"step-{self.step:08d}-{sample.name}"
            file = samples.save(sample, self.run.samples, stem)
            refs.append(
                events.SampleRef(kind=sample.kind, name=sample.name, title=sample.title, file=f"samples/{file}")
            )
        self._last_flush = time.monotonic()
        yield self._record(events.Sampled(step=self.step, samples=refs))

    def _checkpoint_if_due(self) -> Iterator[events.Event]:
        yield from self._published(self._writer.poll())
        asked = "checkpoint" in self._asked
        self._asked.discard("checkpoint")
        if self._improved or asked or self._overdue == "due":  # the best is never skipped: it waits its turn
            if self._submitted != self._mark:
                self._write()
        elif self._overdue == "busy":
            self._checkpoint_due = time.monotonic() + self.engine.checkpoint_every
            yield self._notice("checkpoint skipped: the one before is still being written")
        self._overdue = ""

    def _seconds_left(self, now: float) -> float | None:
        """Until ``max_time``, which counts all of the run's resumes, at ``time.monotonic() == now``; None: no limit."""
        limit = self.engine.max_time
        return None if limit is None else max(0.0, limit - (self.progress.seconds + now - self._began))

    def _look(self) -> dict[str, Any] | None:
        """What people, signals and clocks ask for, as rank 0 sees it; None: nothing."""
        asked, found, now = self.signals.asked, self._inbox.look(), time.monotonic()
        time_up = self._seconds_left(now) == 0
        overdue = now >= self._checkpoint_due
        if not (asked or found or time_up or overdue):
            return None
        return {
            "asked": asked,
            "commands": [command._asdict() for command in found],
            "time_up": time_up,
            "overdue": ("busy" if self._writer.busy else "due") if overdue else "",
        }

    def _agree(self) -> dict[str, Any]:
        """The same, on every rank; and after how many steps they look again."""
        found = self._look() if self._world.rank_zero else None
        if self._world.size == 1:
            return found or {}
        asked = self._world.any(bool(self.signals.asked))
        steps = min(max(1, int(self._rate * FLUSH_SECONDS)), 2 * self._agreed)
        orders = self._world.share({**(found or {}), "steps": steps})
        self._agreed = orders["steps"]
        return {**orders, "asked": orders.get("asked") or ("terminated (SIGTERM)" if asked else "")}

    def _obey(self, orders: dict[str, Any] | None = None) -> Iterator[events.Event]:
        """What people or the clock ask for; but for ``set``, nothing here changes a weight."""
        if orders is None:
            yield from self._change_again()
            orders = self._agree()
        yield from self._carry_out(orders)
        if not self._paused:
            return
        self._update(state="paused")
        while self._paused and not self._ending:
            since = time.monotonic()
            time.sleep(PAUSE_SECONDS)
            yield from self._carry_out(self._agree())
            yield from self._sample_if_due()
            yield from self._checkpoint_if_due()
            paused = time.monotonic() - since
            self._began, self._last_flush = self._began + paused, self._last_flush + paused
        self._update(state="running")

    def _carry_out(self, orders: Mapping[str, Any]) -> Iterator[events.Event]:
        for fields in orders.get("commands", ()):
            command = Command(**fields)
            refused = self._command(command)
            what = {key: fields[key] for key in ("action", "key", "value", "id", "by", "end")}
            yield self._record(events.Commanded(step=self.step, refused=refused, **what))
        if orders.get("asked"):
            self._ending, self._closing = orders["asked"], False
        if orders.get("time_up") and not self._ending:
            self._ending, self._closing = f"max_time of {self.engine.max_time:g} s reached", True
        self._overdue = orders.get("overdue", "")

    def _command(self, command: Command) -> str:
        """Do what a command says; returns why not."""
        match command.action:
            case "stop":
                self._ending, self._closing = f"stopped by {command.by}", False
            case "pause" | "unpause" as action:
                if self._paused == (action == "pause"):
                    return "it is paused already" if self._paused else "it is not paused"
                self._paused = not self._paused
            case "sample" | "checkpoint" as what:
                self._asked.add(what)
            case "set":
                return self._settings.change(command.key, command.value, command.id)
            case other:
                return f"unknown command {other!r}"
        return ""

    def _change_again(self) -> Iterator[events.Event]:
        """Settings that an earlier attempt changed at this step."""
        for event in self._settings.due(self.step):
            refused = self._settings.change(event.key, event.value, event.id)
            yield self._record(replace(event, step=self.step, refused=refused))

    def _leave(self) -> None:
        """The consumer closed the generator: stop properly, without yielding."""
        if self._over:
            return
        try:
            if self._bad is not None:
                raise self._bad
            deque(self._log_steps(), maxlen=0)
            if self.step < self.job.course.total and not self._ending:
                self._ending = "closed by its consumer"
            for due in (self._evaluate_if_due, self._sample_if_due, self._settle):
                deque(due(), maxlen=0)
            self._finish("stopped" if self._cut_short else "completed")
        # The run's boundary, as in __iter__.
        except Exception as error:
            self._fail(error)
