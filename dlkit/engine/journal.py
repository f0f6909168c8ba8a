"""The journal: what an attempt at a run tells others, in its log, in run.json, and to observers.

An event is in ``events.jsonl`` before anybody sees it, so that a consumer which is slow or gone loses nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import TypeVar, Unpack

from dlkit import events
from dlkit.engine.build import Job
from dlkit.engine.machine import MachineMonitor, Monitor
from dlkit.engine.observers import Observers
from dlkit.engine.preparation import Stage
from dlkit.engine.progress import Progress
from dlkit.json_types import JsonObject
from dlkit.runs import opening
from dlkit.runs.files import file_size
from dlkit.runs.folder import RunFolder
from dlkit.runs.giving_way import Release, back_in_queue
from dlkit.runs.log import EventLog, NoLog
from dlkit.runs.run_record import Result, RunRecord

RESERVE, RESERVE_BYTES = ".reserve", 1 << 16
E = TypeVar("E", bound=events.Event)


class Journal:
    """Open while the run goes (``with journal:``). Of several processes only rank 0's writes anything."""

    def __init__(
        self, job: Job, run: RunFolder, progress: Progress, machine: Monitor | None = None, *, observed: bool = True
    ) -> None:
        """``machine``: who measures it, where one does so for several runs; ``observed``: whether observers hear."""
        self.ended = False
        self._job, self._run, self._progress = job, run, progress
        self._writes, self._observed = job.world.rank_zero, observed
        self._log: EventLog | NoLog = NoLog()
        self._observers = Observers([], {})
        # Under a supervisor a job is more than this process: what it starts, and the other ranks.
        self._machine = machine or MachineMonitor(int(os.environ.get("DLKIT_SUPERVISOR", os.getpid())))
        self._opened = ExitStack()
        self._to_say: list[str] = []

    def __enter__(self) -> Journal:
        with ExitStack() as stack:
            if self._writes:
                self._open(stack)
            self._opened = stack.pop_all()  # it got here: what is open stays so until the end
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def _open(self, stack: ExitStack) -> None:
        self._log = EventLog(self._run.events)
        stack.callback(self._log.close)
        found = self._job.catalog.observers() if self._observed else []
        self._observers = Observers(found, {**self._run.read(), "path": str(self._run.path.absolute())})
        stack.callback(self._observers.close)
        self._machine.start()
        stack.callback(self._machine.close)
        # Room on the disk that is given up when it is full: "failed, disk full" is a line that must not be lost.
        opening.write(self._run.path, RESERVE, bytes(RESERVE_BYTES))
        stack.callback(self.free_reserve)

    @property
    def next_seq(self) -> int:
        """The number that the next event gets."""
        return self._log.next_seq

    def record(self, event: E) -> E:
        """Put an event into the log and tell observers of it; returns it with its ``seq`` and ``time``."""
        recorded = self._log.append(event)
        if self._observers:
            self._observers.post(json.loads(events.to_json(recorded)))
        return recorded

    def notice(self, text: str) -> events.Notice:
        return self.record(events.Notice(step=self._progress.step, text=text))

    def preparing(self, stage: Stage) -> events.Preparing:
        step = self._progress.step
        return self.record(events.Preparing(step=step, text=stage.text, done=stage.done, total=stage.total))

    def machine(self) -> list[events.Machine]:
        """What the job has used of the machine since the last call."""
        found = self._machine.drain()
        step, printed = self._progress.step, file_size(self._run.output) if found else 0
        return [self.record(events.Machine(step=step, printed=printed, **usage)) for usage in found]

    def say(self, text: str) -> None:
        """Have a notice told at the next attention: within a step nobody listens."""
        self._to_say.append(text)

    def pending(self) -> Iterator[events.Notice]:
        """What is to be said: by whoever had no way to, of observers switched off, that a deleted log lost nothing."""
        said, self._to_say = self._to_say, []
        for text in (*said, *self._observers.switched_off()):
            yield self.notice(text)
        if self._log.restored:
            self._log.restored = False
            yield self.notice("events.jsonl was deleted while the run wrote it: it has been written again")

    def update(self, **fields: Unpack[RunRecord]) -> None:
        """Change fields of run.json."""
        if self._writes:
            self._run.update(**fields)

    def begin(self, total_steps: int) -> None:
        """Say in run.json that it is this process that trains now."""
        self.update(state="running", total_steps=total_steps, pid=os.getpid(), reason="", result=None)

    def sync(self) -> None:
        """Make all events so far durable; called from the checkpoint's thread too."""
        self._log.sync()

    def free_reserve(self) -> None:
        if self._writes:
            opening.remove(self._run.path, RESERVE)

    def end(
        self,
        status: str,
        reason: str,
        metrics: Mapping[str, float],
        spent: events.Spent,
        traceback: str = "",
        cause: JsonObject | None = None,
        release: Release | None = None,
    ) -> tuple[events.Spent, events.Finished]:
        """Record where the time went and the end, in the log and in run.json, as far as the disk lets us; with
        ``release`` it is the end of this attempt alone."""
        self.ended = True
        progress = self._progress
        reached = progress.reached(metrics)
        finished = events.Finished(
            run=self._run.id, status=status, reason=reason, traceback=traceback, cause=cause or {}, **reached
        )
        self.free_reserve()  # whoever follows the run waits for this line, and lists are made from run.json
        with suppress(OSError):
            spent = self.record(spent)
        with suppress(OSError):
            finished = self.record(finished)
            self.sync()
        result: Result = {
            "step": reached["steps"],
            "total_steps": self._job.course.total,
            "last": progress.metrics.get(self._job.resolved.task.metric),
            "best": progress.best,
            "metrics": reached["metrics"],
            "updated": round(time.time(), 3),
            "seconds": reached["seconds"],
        }
        if self._writes:
            self._run.update(**self._last_word(status, reason, result, release))
        return spent, finished

    def _last_word(self, status: str, reason: str, result: Result, release: Release | None) -> RunRecord:
        """In one write: whatever is killed around it, the run has ended, or waits, or is interrupted."""
        found: RunRecord | None = None
        if release is not None and status == "stopped":
            found = back_in_queue(self._run, self._run.read(), release, self._progress.step)
        return {**(found or {"state": status, "reason": reason}), "result": result}
