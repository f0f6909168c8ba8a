"""The loop: a generator of events that knows nothing of tasks.

One fixed order after each step that something is due at: log, obey, evaluate, sample, checkpoint, stop. An event is
recorded before it is yielded, so a consumer that is slow or gone loses nothing; closing the generator stops the run.
"""

from __future__ import annotations

import gc
import json
import os
import time
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

from dlkit import events, samples
from dlkit.data.randomness import derive, forked, rng, seed_all
from dlkit.data.splits import OnHost
from dlkit.engine import checkpoint as storage
from dlkit.engine.build import Job
from dlkit.engine.evaluate import evaluate, first_bad
from dlkit.engine.loader import Cadence, Loader, evaluation_batches, overfitted
from dlkit.engine.observers import Observers
from dlkit.engine.record import NonFiniteMetric, columns, first_non_finite
from dlkit.engine.signals import StopSignals
from dlkit.engine.trainer import Values
from dlkit.errors import DlkitError, PluginError
from dlkit.runs.checkpoints import Checkpoint, complete
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import EventLog

FLUSH_SECONDS = 0.25
SAMPLES = 24
E = TypeVar("E", bound=events.Event)


@dataclass
class Progress:
    """What the loop must remember besides tensors; saved with every checkpoint.

    ``best`` is the best primary metric so far, ``stale`` the evaluations since; seconds count over all resumes.
    """

    best: float | None = None
    best_step: int = 0
    stale: int = 0
    best_metrics: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    train_seconds: float = 0.0


class Loop:
    """One attempt at a run, from its start or from a checkpoint.

    ``differences`` are what an inexact resume may not reproduce; ``signals`` may be shared with a caller that wants
    to stop the run from outside.
    """

    def __init__(
        self,
        job: Job,
        run: RunFolder,
        *,
        resume: Checkpoint | None = None,
        resumed: bool = False,
        differences: tuple[str, ...] = (),
        signals: StopSignals | None = None,
    ) -> None:
        self.job, self.run, self.engine = job, run, job.resolved.engine
        self.signals = signals or StopSignals()
        self.step = 0
        self.progress = Progress()
        self._resume, self._resumed, self._differences = resume, resumed or resume is not None, differences
        device = job.placement.device
        self._train = job.data.train.to(device, self.engine.workers)
        self._val = job.data.val.to(device, self.engine.workers)
        self._loader = Loader(self._train, job.data.augment, self.engine, device, job.course)
        self._evaluations = job.course.due(self.engine.eval_every)
        self._sampling = job.course.due(self.engine.sample_every)
        self._rows: list[Values] = []
        self._improved = False
        self._ending = ""
        self._closing = False
        self._evaluated = self._sampled = 0
        self._submitted = -1
        self._over = False
        self._bad: NonFiniteMetric | None = None
        self._last_flush = time.monotonic()

    def __iter__(self) -> Iterator[events.Event]:
        with ExitStack() as stack:
            self._open(stack)
            try:
                yield self._begin()
                yield from self._steps()
                cut_short = bool(self.signals.asked) and self.step < self.job.course.total
                yield self._finish("stopped" if cut_short else "completed")
            except GeneratorExit:
                self._leave()
                raise
            except KeyboardInterrupt:
                self._ending = f"{self.signals.asked or 'interrupted'}, at once"
                yield self._finish("stopped")
            # The run's boundary: whatever a component or the disk does ends this run as failed, with its reason.
            except Exception as error:
                yield self._fail(error)

    def _open(self, stack: ExitStack) -> None:
        self._began = time.monotonic()
        stack.enter_context(self.signals)
        gc.freeze()  # what is there stays: the collector need not look at it again (halves the cost of a null step)
        stack.callback(gc.unfreeze)
        self._log = EventLog(self.run.events)
        stack.callback(self._log.close)
        self._observers = Observers(self.job.catalog.observers(), self.run.read())
        stack.callback(self._observers.close)
        self._writer = storage.Writer(self.run.checkpoints, self._log.sync)
        stack.callback(self._abandon_writer)
        self._reserve = self.run.path / ".reserve"
        self._reserve.write_bytes(bytes(1 << 16))  # given up when the disk is full, to say so
        stack.callback(self._reserve.unlink, missing_ok=True)
        for split in (self._train, self._val):
            stack.callback(split.close)

    def _begin(self) -> events.Event:
        if self._resume is not None:
            self._restore(self._resume)
        else:
            seed_all(derive(self.engine.seed, "train"))
        storage.clear_void(self.run.path, self.step)
        self._checkpoint_due = time.monotonic() + self.engine.checkpoint_every
        total, ends = self.job.course.total, self.job.course.ends
        self.run.update(state="running", total_steps=total, pid=os.getpid(), reason="", result=None)
        if self._resumed:
            exact = not self._differences
            return self._record(
                events.Resumed(
                    from_step=self.step,
                    total_steps=total,
                    epoch_steps=ends[0],
                    exact=exact,
                    differences=self._differences,
                )
            )
        return self._record(events.Started(total_steps=total, epoch_steps=ends[0], summary=self.job.summary))

    def _steps(self) -> Iterator[events.Event]:
        step_of, clock, rows = self.job.trainer.step, time.monotonic, self._rows
        signals, total = self.signals, self.job.course.total
        self._loader.seek(self.step)
        batches = self._loader.steps()
        wake, flush_at, began = self._next_wake(), clock() + FLUSH_SECONDS, clock()
        n = self.step
        while n < total and not self._ending:
            rows.append(step_of(next(batches), n))
            n += 1
            if n < wake and clock() < flush_at and not signals.asked:
                continue
            self.step = n
            yield from self._log_steps()
            self.progress.train_seconds += clock() - began
            self._obey()
            yield from self._evaluate_if_due()
            yield from self._sample_if_due()
            yield from self._checkpoint_if_due()
            wake, began = self._next_wake(), clock()
            flush_at = began + FLUSH_SECONDS
        yield from self._settle()

    def _next_wake(self) -> int:
        return min(self._evaluations.next(self.step), self._sampling.next(self.step), self.job.course.total)

    def _log_steps(self) -> Iterator[events.Event]:
        rows, first = list(self._rows), self.step - len(self._rows) + 1
        self._rows.clear()  # whatever comes of them, they are dealt with
        now = time.monotonic()
        rate = len(rows) / max(now - self._last_flush, 1e-9)
        self._last_flush = now
        epoch = self.job.course.epoch_of(self.step - 1) if self.step else 0
        parts = list(columns(rows, first))
        recorded = [
            self._record(
                events.Metrics(first=p.first, count=p.count, every=p.every, values=p.values, epoch=epoch, rate=rate)
            )
            for p in parts
        ]
        for part in parts:
            self.progress.metrics.update({name: column[-1] for name, column in part.values.items()})
        self._bad = first_non_finite(parts)
        yield from recorded  # all are in the log by now: a consumer that leaves here loses none
        if self._bad is not None:
            raise self._bad
        for text in self._observers.switched_off():
            yield self._notice(text)

    def _due(self, cadence: Cadence, done: int) -> bool:
        """By its cadence, or because the run ends here before its planned end; ``done``: the step it last was at."""
        return done < self.step and (cadence.next(self.step - 1) == self.step or (self._closing and cadence.happens))

    def _evaluate_if_due(self) -> Iterator[events.Event]:
        if not self._due(self._evaluations, self._evaluated):
            return
        with forked(self.engine.seed, "evaluate", self.step):
            batches = (
                overfitted(self._train, self.engine)
                if self.engine.overfit_batches
                else evaluation_batches(self._val, self.engine)
            )
            values = evaluate(self.job.trainer, self.job.task, self.job.info, batches, "val")
        self._last_flush = time.monotonic()
        lists = {name: [value] for name, value in values.items()}
        event = self._record(events.Metrics(first=self.step, count=1, values=lists, epoch=self._epoch()))
        self._evaluated = self.step
        if (name := first_bad(values)) is not None:
            self._bad = NonFiniteMetric(name, values[name], self.step)
        else:
            self.progress.metrics.update(values)
            self._judge(values)
        yield event  # all that follows from it is done: a consumer that leaves here changes nothing
        if self._bad is not None:
            raise self._bad

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
        if not self._due(self._sampling, self._sampled):
            return
        with forked(self.engine.seed, "samples", self.step), self.job.trainer.evaluating():
            generator = rng(self.engine.seed, "samples", self.step)
            made = self.job.predictor.samples(SAMPLES, generator, OnHost(self._val))
        refs = []
        for sample in made:
            stem = f"step-{self.step:08d}-{sample.name}"
            file = samples.save(sample, self.run.samples, stem)
            refs.append(
                events.SampleRef(kind=sample.kind, name=sample.name, title=sample.title, file=f"samples/{file}")
            )
        self._last_flush = time.monotonic()
        self._sampled = self.step
        yield self._record(events.Sampled(step=self.step, samples=refs))

    def _checkpoint_if_due(self) -> Iterator[events.Event]:
        yield from self._published(self._writer.poll())
        overdue = time.monotonic() >= self._checkpoint_due
        if overdue and self._writer.busy and not self._improved:
            self._checkpoint_due = time.monotonic() + self.engine.checkpoint_every
            yield self._notice("checkpoint skipped: the one before is still being written")
        elif overdue or self._improved:  # the best is never skipped: it waits its turn
            self._write()

    def _write(self) -> None:
        self._writer.submit(self._snapshot())
        self._submitted = self.step
        self._improved = False
        self._checkpoint_due = time.monotonic() + self.engine.checkpoint_every

    def _snapshot(self) -> storage.Snapshot:
        job, trainer = self.job, self.job.trainer
        self.progress.seconds += time.monotonic() - self._began
        self._began = time.monotonic()
        state: dict[str, Any] = {
            "trainer": trainer.state(),
            "generators": storage.generators(),
            "progress": vars(self.progress),
        }
        averaged = trainer.averaged()
        if averaged is not None:
            state["averaged"] = averaged
        epoch = job.course.epoch_of(self.step)
        fields = {
            "step": self.step,
            "epoch": epoch,
            "batch": (self.step - job.course.start_of(epoch)) * self.engine.accumulate,
            "best": self._improved,
            "task": job.resolved.task.name,
            "model": job.resolved.specs["model"].name,
            "metrics": dict(self.progress.metrics),
        }
        return storage.snapshot(trainer.model, state, job.info, fields)

    def _published(self, done: list[storage.Published]) -> Iterator[events.Event]:
        for written, seconds in done:
            yield self._record(
                events.Checkpointed(
                    step=written.step,
                    folder=f"checkpoints/{written.folder.name}",
                    best=written.manifest.best,
                    seconds=round(seconds, 4),
                )
            )
        if done:
            storage.prune(complete(self.run.path), self.engine.keep)

    def _restore(self, chosen: Checkpoint) -> None:
        storage.load_model(chosen, self.job.trainer.model, averaged=False)
        state = storage.load_state(chosen)
        self.job.trainer.load(state["trainer"])
        self.progress = Progress(**state["progress"])
        self.step = self._submitted = self._evaluated = self._sampled = chosen.step
        storage.restore_generators(state["generators"])

    def _obey(self) -> None:
        """What people or the clock ask for; nothing here changes a weight."""
        if self.signals.asked:
            self._ending = self.signals.asked
        elapsed = self.progress.seconds + time.monotonic() - self._began
        if self.engine.max_time is not None and elapsed >= self.engine.max_time and not self._ending:
            self._ending, self._closing = f"max_time of {self.engine.max_time:g} s reached", True

    def _settle(self) -> Iterator[events.Event]:
        """The last checkpoint, complete before the run says how it ended."""
        yield from self._published(self._writer.wait())  # first, or the last would take the place of a waiting best
        if self._submitted != self.step:
            self._write()
            yield from self._published(self._writer.wait())

    def _finish(self, status: str) -> events.Finished:
        progress = self.progress
        progress.seconds += time.monotonic() - self._began
        self._began = time.monotonic()
        return self._end(
            events.Finished(
                run=self.run.id,
                status=status,
                metrics=progress.best_metrics or progress.metrics,
                seconds=round(progress.seconds, 3),
                train_seconds=round(progress.train_seconds, 3),
                steps=self.step,
                reason=self._ending,
            )
        )

    def _fail(self, error: Exception) -> events.Finished:
        self.step += len(self._rows)
        with suppress(Exception):  # the steps before it, if they can still be read and written
            deque(self._log_steps(), maxlen=0)
        with suppress(Exception):  # and a checkpoint of before, still being written
            deque(self._published(self._writer.wait()), maxlen=0)
        self._ending = self._explain(error)
        details = "" if isinstance(error, (DlkitError, OSError)) else traceback.format_exc()
        self._reserve.unlink(missing_ok=True)
        progress = self.progress
        return self._end(
            events.Finished(
                run=self.run.id,
                status="failed",
                metrics=progress.best_metrics,
                seconds=round(progress.seconds + time.monotonic() - self._began, 3),
                train_seconds=round(progress.train_seconds, 3),
                steps=self.step,
                reason=self._ending,
                traceback=details,
            )
        )

    def _explain(self, error: Exception) -> str:
        """The reason of a failure, with the last good checkpoint."""
        good = complete(self.run.path)
        last = f"last good checkpoint: step {good[-1].step}" if good else "no checkpoint was written before"
        if isinstance(error, NonFiniteMetric):
            epoch = self.job.course.epoch_of(error.step - 1)
            batch = (error.step - 1 - self.job.course.start_of(epoch)) * self.engine.accumulate
            return f"{error} (epoch {epoch}, batch {batch}); {last}"
        if isinstance(error, torch.OutOfMemoryError):
            return f"out of memory on {self.job.placement.name}: try a smaller --batch-size, or --accumulate; {last}"
        if isinstance(error, OSError):
            return f"could not write: {error.strerror or error}; {last}"
        return f"{error}; {last}" if isinstance(error, DlkitError) else f"{type(error).__name__}: {error}; {last}"

    def _end(self, finished: events.Finished) -> events.Finished:
        """Record the end in the log and in run.json, as far as the disk lets us: run.json is the smaller."""
        self._over = True
        try:
            finished = self._record(finished)
            self._log.sync()
        except OSError:
            self._reserve.unlink(missing_ok=True)
        spec = self.job.resolved.task
        self.run.update(
            state=finished.status,
            reason=finished.reason,
            result={
                "step": finished.steps,
                "total_steps": self.job.course.total,
                "last": self.progress.metrics.get(spec.metric),
                "best": self.progress.best,
                "metrics": dict(finished.metrics),
                "updated": round(time.time(), 3),
                "seconds": finished.seconds,
            },
        )
        return finished

    def _leave(self) -> None:
        """The consumer closed the generator: stop properly, without yielding.

        What is due at this step is done, for the checkpoint says that it was.
        """
        if self._over:
            return
        try:
            if self._bad is not None:
                raise self._bad
            for due in (self._log_steps, self._evaluate_if_due, self._sample_if_due, self._settle):
                deque(due(), maxlen=0)
            cut_short = self.step < self.job.course.total and bool(self.signals.asked or not self._ending)
            self._ending = self._ending or ("closed by its consumer" if cut_short else "")
            self._finish("stopped" if cut_short else "completed")
        # The run's boundary, as in __iter__.
        except Exception as error:
            self._fail(error)

    def _abandon_writer(self) -> None:
        """Never leave a thread writing into a run that has ended."""
        try:
            self._writer.wait()
        # The run has already ended and said why; what its last checkpoint met is no news.
        except Exception:
            return

    def _epoch(self) -> int:
        return self.job.course.epoch_of(self.step - 1)

    def _notice(self, text: str) -> events.Event:
        return self._record(events.Notice(step=self.step, text=text))

    def _record(self, event: E) -> E:
        recorded = self._log.append(event)
        if self._observers:
            self._observers.post(json.loads(events.to_json(recorded)))
        return recorded
