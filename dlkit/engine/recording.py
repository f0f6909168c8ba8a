"""What one attempt at a run leaves behind: events, checkpoints, and how it ended."""

from __future__ import annotations

import gc
import json
import math
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dlkit import events
from dlkit.config import EngineConfig
from dlkit.data.randomness import generators, restore_generators
from dlkit.engine import checkpoint as storage
from dlkit.engine import failure, tree
from dlkit.engine.build import Job
from dlkit.engine.control import Inbox, Settings
from dlkit.engine.machine import MachineMonitor
from dlkit.engine.observers import Observers
from dlkit.engine.signals import StopSignals
from dlkit.engine.trainer import Values
from dlkit.runs.checkpoints import Checkpoint, complete
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import EventLog, NoLog

E = TypeVar("E", bound=events.Event)


@dataclass
class Progress:
    """What the loop must remember besides tensors; saved with every checkpoint.

    ``best`` is the best primary metric so far, ``stale`` the evaluations since; seconds count over all resumes, without
    pauses. ``evaluated`` and ``sampled`` are the steps that was last done at (a checkpoint may lie before what was due
    at its step), ``obeyed`` the ids of the commands that changed settings.
    """

    best: float | None = None
    best_step: int = 0
    stale: int = 0
    best_metrics: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    train_seconds: float = 0.0
    evaluated: int | None = None
    sampled: int | None = None
    obeyed: list[str] = field(default_factory=list)


class Recorder:
    """The part of the loop that writes: its folder, its log, its checkpoints, its end."""

    def __init__(
        self,
        job: Job,
        run: RunFolder,
        *,
        resume: Checkpoint | None = None,
        resumed: bool = False,
        differences: tuple[str, ...] = (),
        signals: StopSignals | None = None,
        inbox: Inbox | None = None,
        report: Path | None = None,
    ) -> None:
        self.job, self.run, self.engine = job, run, job.resolved.engine
        self.signals = signals or StopSignals()
        self.step = 0
        self.progress = Progress()
        self._resume, self._resumed, self._differences = resume, resumed or resume is not None, differences
        self._report, self._world, self._device = report, job.world, job.placement.device
        self._inbox = inbox or Inbox(run.commands)
        self._settings = Settings(job.trainer, self.engine, self._take_over)
        self._train = job.data.train.to(self._device, self.engine.workers)
        self._val = job.data.val.to(self._device, self.engine.workers)
        self._reserve = run.path / ".reserve"
        self._checkpoint_due = math.inf
        self._submitted: tuple[Any, ...] = ()
        self._improved = self._over = False
        self._rows: list[Values] = []
        self._ending = ""

    def _log_steps(self) -> Iterator[events.Event]:
        """Record the steps since the last time."""
        raise NotImplementedError(type(self).__name__)

    def _open(self, stack: ExitStack) -> None:
        self._began = time.monotonic()
        stack.enter_context(self.signals)
        gc.freeze()  # what is there stays: the collector need not look at it again (halves the cost of a null step)
        stack.callback(gc.unfreeze)
        stack.callback(self._world.close)
        rank_zero = self._world.rank_zero
        self._log: EventLog | NoLog = EventLog(self.run.events) if rank_zero else NoLog()
        stack.callback(self._log.close)
        self._observers = Observers(self.job.catalog.observers() if rank_zero else [], self.run.read())
        stack.callback(self._observers.close)
        self._writer = storage.Writer(self.run.checkpoints, self._log.sync, self._device)
        stack.callback(self._abandon_writer)
        self._sampler = MachineMonitor(int(os.environ.get("DLKIT_SUPERVISOR", os.getpid())))
        if rank_zero:
            self._sampler.start()
            stack.callback(self._sampler.close)
            self._reserve.write_bytes(bytes(1 << 16))  # given up when the disk is full, to say so
            stack.callback(self._reserve.unlink, missing_ok=True)
        for split in (self._train, self._val):
            stack.callback(split.close)

    def _record(self, event: E) -> E:
        recorded = self._log.append(event)
        if self._observers:
            self._observers.post(json.loads(events.to_json(recorded)))
        return recorded

    def _update(self, **fields: Any) -> None:
        if self._world.rank_zero:
            self.run.update(**fields)

    def _notice(self, text: str) -> events.Event:
        return self._record(events.Notice(step=self.step, text=text))

    def _epoch(self) -> int:
        return self.job.course.epoch_of(self.step - 1)

    @property
    def _mark(self) -> tuple[Any, ...]:
        """Changes with everything that a checkpoint holds."""
        return self.step, self.progress.evaluated, self.progress.sampled, len(self._settings.obeyed)

    def _write(self) -> None:
        shot = self._snapshot()
        if self._world.rank_zero:
            self._writer.submit(shot)
        self._submitted = self._mark
        self._improved = False
        self._checkpoint_due = time.monotonic() + self.engine.checkpoint_every

    def _snapshot(self) -> storage.Snapshot:
        job, trainer = self.job, self.job.trainer
        self.progress.seconds += time.monotonic() - self._began
        self._began = time.monotonic()
        self.progress.obeyed = list(self._settings.obeyed)
        state: dict[str, Any] = {
            "trainer": trainer.state(),
            "generators": generators(self._device),
            "progress": vars(self.progress),
            "local": trainer.local_state(),
        }
        if self._world.size > 1:
            state["ranks"] = self._of_ranks({key: state[key] for key in ("generators", "local")})
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
            "seq": self._log.next_seq,
            "commands": self._inbox.offset,
            "settings": dict(self._settings.values),
        }
        return storage.snapshot(trainer.model, state, job.info, fields)

    def _of_ranks(self, own: Mapping[str, Any]) -> list[Any]:
        """What each process has of its own, by rank."""
        return [tree.from_bytes(data) for data in self._world.gather(tree.to_bytes(own))]

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
        self.step = chosen.step
        self._settings.restore(chosen.manifest.settings, self.progress.obeyed, self.run.events, self.step)
        own = state["ranks"][self._world.rank] if self._world.size > 1 else state
        self.job.trainer.load_local(own.get("local", {}))
        restore_generators(own["generators"], self._device)

    def _settle(self) -> Iterator[events.Event]:
        """The last checkpoint, complete before the run says how it ended."""
        yield from self._published(self._writer.wait())  # first, or the last would take the place of a waiting best
        if self._submitted != self._mark:
            self._write()
            yield from self._published(self._writer.wait())

    def _abandon_writer(self) -> None:
        """Never leave a thread writing into a run that has ended."""
        try:
            self._writer.wait()
        # The run has already ended and said why; what its last checkpoint met is no news.
        except Exception:
            return

    def _take_over(self, engine: EngineConfig) -> None:
        """Changed options of the engine."""
        self.engine = engine
        self._checkpoint_due = min(self._checkpoint_due, time.monotonic() + engine.checkpoint_every)

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

    def _fail(self, error: BaseException) -> events.Finished:
        self._save_what_can_be()
        self._ending = failure.explain(error, self.run.path, self.job)
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
                traceback=failure.details(error),
            )
        )

    def _tell_supervisor(self, error: BaseException, path: Path) -> None:
        """Why this process gives up; the supervisor tries again, or ends the run."""
        self._save_what_can_be()
        self._reserve.unlink(missing_ok=True)
        seconds = self.progress.seconds + time.monotonic() - self._began
        failure.report(
            path,
            error,
            self.run.path,
            self.job,
            steps=self.step,
            seconds=round(seconds, 3),
            train_seconds=round(self.progress.train_seconds, 3),
            metrics=self.progress.best_metrics,
        )

    def _save_what_can_be(self) -> None:
        """The steps before a failure, and a checkpoint of before that is still being written."""
        self.step += len(self._rows)
        if self._world.size > 1:  # the others may be gone, and would be waited for
            self._rows.clear()
        with suppress(Exception):
            deque(self._log_steps(), maxlen=0)
        with suppress(Exception):
            deque(self._published(self._writer.wait()), maxlen=0)

    def _end(self, finished: events.Finished) -> events.Finished:
        """Record the end in the log and in run.json, as far as the disk lets us: run.json is the smaller."""
        self._over = True
        try:
            finished = self._record(finished)
            self._log.sync()
        except OSError:
            self._reserve.unlink(missing_ok=True)
        spec = self.job.resolved.task
        self._update(
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
