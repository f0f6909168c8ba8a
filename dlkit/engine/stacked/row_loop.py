"""The loop of a row: that of a run alone, but for its steps, which the stack takes for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dlkit.engine.breakdown import Stretch
from dlkit.engine.build import Job
from dlkit.engine.columns import Columns, runs_of_steps
from dlkit.engine.journal import Journal
from dlkit.engine.loader import Loader
from dlkit.engine.loop import Loop
from dlkit.engine.orders import Inbox
from dlkit.engine.resuming import Resuming
from dlkit.engine.stacked.keeping import RowKeeper
from dlkit.engine.stacked.sharing import HeardSignals, Shared
from dlkit.engine.step_log import StepLog
from dlkit.events import Event
from dlkit.runs.folder import RunFolder

NO_PAUSE = "it is trained as one with others, which would wait too: stop it, and resume it alone"


@dataclass(frozen=True, kw_only=True)
class Waits(Event):
    """No event of the run: the row waits at ``step`` for the stack, which is to come back at ``wake`` at the latest.

    ``ends``: it has had its last step, and its last checkpoint is being written.
    """

    step: int
    wake: float
    ends: bool = False


class RowLog(StepLog):
    """What the stack has measured, in the place of rows of its own."""

    handed: Sequence[Columns] = ()

    def read(self) -> list[Columns]:
        parts, self.handed = list(self.handed), ()
        return parts


class RowLoop(Loop):
    """Yields ``Waits`` where a run alone would take steps; ``hand`` what they gave, and ask for the next event."""

    _log: RowLog
    _keeper: RowKeeper

    def __init__(
        self,
        job: Job,
        run: RunFolder,
        shared: Shared,
        *,
        resuming: Resuming | None = None,
        inbox: Inbox | None = None,
        report: Path | None = None,
    ) -> None:
        self._shared = shared
        super().__init__(job, run, resuming=resuming, signals=HeardSignals(shared.signals), inbox=inbox, report=report)
        self._orders.never_pauses = NO_PAUSE

    @property
    def loader(self) -> Loader:
        """Once it waits for the first time."""
        return self._loader

    @property
    def checkpoint_seconds(self) -> float:
        """Between two checkpoints, as the options say now."""
        return self._settings.engine.checkpoint_every

    def hand(self, parts: Sequence[Columns], step: int, stretch: Stretch, rate: float) -> None:
        """The steps up to ``step`` are done: such a stretch of them."""
        self._log.handed, self._log.rate = parts, rate
        self.progress.step = step
        self.progress.train_seconds += stretch.seconds
        self._spent.stepped(stretch)

    def _steps(self) -> Iterator[Event]:
        progress, total = self.progress, self._job.course.total
        if self._shared.rows > 1:
            yield self._journal.notice(f"trained as one with {self._shared.rows - 1} other runs")
        yield from self._attend()
        while progress.step < total and not self._orders.ending:
            yield Waits(step=progress.step, wake=self._next_wake())
            yield from self._log.record(self._log.read())
            yield from self._attend()
        self._keeper.begin_last()
        yield Waits(step=progress.step, wake=progress.step, ends=True)
        yield from self._write_last()

    def _new_journal(self) -> Journal:
        return Journal(self._job, self._run, self.progress, self._shared.machine)

    def _new_log(self) -> RowLog:
        return RowLog(self._job, self.progress, self._journal, self._orders)

    def _new_keeper(self, inbox: Inbox) -> RowKeeper:
        return RowKeeper(self._job, self._run, self.progress, self._settings, inbox, self._journal, self._shared)


def columns_by_row(steps: Sequence[Mapping[str, Tensor]], first: int, rows: int) -> list[list[Columns]]:
    """What consecutive steps measured, the first being ``first``, as columns for each row; read in one go."""
    measured: dict[str, list[int]] = {}
    for step, values in enumerate(steps, first):
        for name in values:
            measured.setdefault(name, []).append(step)
    found: list[list[Columns]] = [[] for _ in range(rows)]
    groups: dict[tuple[int, ...], dict[str, list[list[float]]]] = {}
    for name, at in measured.items():
        table: list[list[float]] = torch.stack([steps[step - first][name] for step in at]).T.tolist()
        groups.setdefault(tuple(at), {})[name] = table
    for steps_, tables in groups.items():
        for row, parts in enumerate(found):
            parts += runs_of_steps(steps_, {name: table[row] for name, table in tables.items()})
    return found
