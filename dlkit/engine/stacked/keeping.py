"""Checkpoints of a row: what a run alone writes, but the best ones wait in memory until the others are written too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dlkit.engine.build import Job
from dlkit.engine.checkpoint import Snapshot
from dlkit.engine.checkpoint_keeper import CheckpointKeeper
from dlkit.engine.checkpoint_writer import Published, Work, Writer
from dlkit.engine.device import Device
from dlkit.engine.frozen_parts import FrozenParts
from dlkit.engine.journal import Journal
from dlkit.engine.orders import Inbox
from dlkit.engine.progress import Progress
from dlkit.engine.settings import Settings
from dlkit.engine.stacked.sharing import Shared
from dlkit.events import Event
from dlkit.runs.folder import RunFolder


class PatientWriter(Writer):
    """Keeps what it is given until ``let_go``: a stack is the best so far so often that disks would do nothing else."""

    def __init__(
        self,
        run: RunFolder,
        before_publish: Callable[[], None],
        device: Device,
        frozen: FrozenParts,
        launch: Callable[[Callable[[], None]], Work],
    ) -> None:
        super().__init__(run.path, before_publish, device, frozen)
        self._launch = launch
        self._held = True

    def submit(self, shot: Snapshot) -> None:
        self._held = True
        super().submit(shot)

    def let_go(self) -> None:
        """Write what waits, as soon as nothing is being written."""
        self._held = False
        if self._thread is None and self._waiting is not None:
            self._start()

    def wait(self) -> list[Published]:
        self.let_go()
        return super().wait()

    def _start(self) -> None:
        if not self._held:
            super()._start()

    def _launched(self, work: Callable[[], None]) -> Work:
        return self._launch(work)


class RowKeeper(CheckpointKeeper):
    """By the stack's clock. A row that is the best so far is kept in memory, and written with the next that is due, or
    at the end; a resume from before it comes to it again."""

    _writer: PatientWriter

    def __init__(
        self,
        job: Job,
        run: RunFolder,
        progress: Progress,
        settings: Settings,
        inbox: Inbox,
        journal: Journal,
        shared: Shared,
    ) -> None:
        self._shared = shared
        self._best_held = False
        super().__init__(job, run, progress, settings, inbox, journal)

    def _new_writer(self) -> PatientWriter:
        return PatientWriter(self._run, self._journal.sync, self._device, self._frozen, self._shared.launch)

    @property
    def overdue(self) -> bool:
        return self._shared.clock.due

    def attend(self) -> Iterator[Event]:
        due = self._overdue or self._asked
        yield from super().attend()
        if due:
            self._writer.let_go()

    def begin_last(self) -> None:
        """Have the last checkpoint written, and a best one that waits: ``write_last`` then finds them on the disk."""
        waits_behind_another = self._best_held and self._writer.busy
        if self._submitted != self._progress.mark and not waits_behind_another:
            self._write()
        self._writer.let_go()

    def _write(self) -> None:
        best = self._progress.is_best
        if self._best_held and not best:  # else the new one would take its place
            self._writer.let_go()
        super()._write()
        self._best_held = best
