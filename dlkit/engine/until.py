"""A loop that ends at a step of somebody's choosing, and makes the changes of settings that another run's log tells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlkit.engine.build import Job
from dlkit.engine.loop import Loop
from dlkit.engine.orders import Agreed, Inbox
from dlkit.engine.resuming import Resuming
from dlkit.engine.signals import StopSignals
from dlkit.events import Commanded, Event
from dlkit.runs.folder import RunFolder


class UntilLoop(Loop):
    """Ends at step ``until``, a checkpoint written; ``changes`` are made at their steps, in the place of people."""

    def __init__(
        self,
        job: Job,
        run: RunFolder,
        *,
        resuming: Resuming | None = None,
        signals: StopSignals | None = None,
        inbox: Inbox | None = None,
        report: Path | None = None,
        until: int,
        changes: Sequence[Commanded] = (),
    ) -> None:
        super().__init__(job, run, resuming=resuming, signals=signals, inbox=inbox, report=report)
        self._until, self._changes = until, changes

    def _begin(self) -> Event:
        begun = super()._begin()
        # What came before a checkpoint is in it, by the ids of who asked.
        later = [e for e in self._changes if e.id not in self.progress.obeyed and e.step >= self.progress.step]
        self._settings.replay = sorted(later, key=lambda event: (event.step, event.end))
        return begun

    def _next_wake(self) -> float:
        return min(super()._next_wake(), self._until)

    def _agree(self) -> Agreed:
        if self.progress.step >= self._until and self._until < self._job.course.total:
            self._orders.end(f"step {self._until}, as far as was asked for", completes=False)
        return super()._agree()
