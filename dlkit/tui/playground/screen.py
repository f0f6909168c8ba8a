"""The playground: the runs whose models can be asked. (``AskScreen`` is where they are.)"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from dlkit.monitor.run_query import parse
from dlkit.present.numbers import ago, counted, number
from dlkit.runs.folder import RunFolder, Summary
from dlkit.tui.playground.ask import AskScreen
from dlkit.tui.shared.filter_line import FilterLine
from dlkit.tui.shared.run_list import RunList
from dlkit.tui.shared.table import Cell, Column, Row, Table
from dlkit.tui.shared.words import state_cell

__all__ = ["AskScreen", "PlaygroundScreen"]

COLUMNS = (
    Column("state", "state", 11, rank=2),
    Column("name", "run", 16, most=40),
    Column("task", "task", 12, most=15),
    Column("model", "model", 10, most=14),
    Column("dataset", "data", 13, rank=3),
    Column("metric", "metric", 16, rank=1),
    Column("best", "best", 8, right=True),
    Column("created", "started", 10, right=True),
)
_EMPTY = "no model to ask yet: press 1, train a task, and come back"


class PlaygroundScreen(RunList):
    """Runs that have a checkpoint, newest first."""

    area = "playground"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="playground.filter", tooltip="Words, or task:…"),
    ]

    class Found(Message):
        """The runs that can be asked."""

        def __init__(self, runs: Sequence[Summary]) -> None:
            self.runs = runs
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._runs: Sequence[Summary] = ()
        self._able: set[str] = set()

    def body(self) -> ComposeResult:
        yield Table(COLUMNS, empty="looking …", enter="Ask", id="runs")
        yield FilterLine("words that must occur; task:NAME  state:WORD")

    # Which there are

    def runs_changed(self) -> None:
        if self.dlkit.looked:
            self._look(self.dlkit.summaries)

    @work(thread=True, exclusive=True, group="checkpoints", exit_on_error=False)
    def _look(self, runs: Sequence[Summary]) -> None:
        able = [run for run in runs if run.id in self._able or has_checkpoint(self.folder(run.id))]
        self._able = {run.id for run in able}
        self.post_message(self.Found(able))

    def on_playground_screen_found(self, message: Found) -> None:
        self._runs = message.runs
        self.show()

    def show(self) -> None:
        query = parse(self.filter)
        found = [run for run in self._runs if query.matches(run)]
        table = self.table
        if bool(found) != bool(table.rows):
            self.refresh_bindings()
        table.empty = f"no run matches {self.filter!r}: escape shows all" if self._runs else _EMPTY
        table.show([_row(run) for run in found])
        shown = f"{len(found)} of " if self.filter else ""
        self.say_where(f"{shown}{counted(len(self._runs), 'model')} to ask")

    # What is done with them

    def applies(self, action: str) -> bool:
        if action == "filter":
            return bool(self._runs)
        return bool(self.table.rows) or action != "choose"

    def on_table_chosen(self, message: Table.Chosen) -> None:
        self.dlkit.open_playground(self.folder(message.key))


def has_checkpoint(run: RunFolder) -> bool:
    """Whether there seems to be one: whether it is whole is seen when it is loaded."""
    try:
        with os.scandir(run.checkpoints) as entries:
            return any(entry.name.startswith("step-") for entry in entries)
    except OSError:
        return False


def _row(run: Summary) -> Row:
    cells: dict[str, Cell] = {
        "state": state_cell(run.state),
        "task": run.task or run.id,
        "model": run.model,
        "dataset": run.dataset,
        "metric": run.metric,
        "best": number(run.best),
        "created": ago(run.created),
        "name": run.name or run.id.rpartition("-")[2],
    }
    return Row(run.id, cells)
