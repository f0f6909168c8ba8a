"""The playground: the runs whose models can be asked. (``AskScreen`` is where they are.)"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from dlkit.present.numbers import ago, counted, number
from dlkit.runs.folder import RunFolder, Summary
from dlkit.tui.playground.ask import AskScreen
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.filter_line import FilterLine
from dlkit.tui.shared.run_filter import matches
from dlkit.tui.shared.table import Cell, Column, Row, Table
from dlkit.tui.shared.words import state_cell

__all__ = ["AskScreen", "PlaygroundScreen"]

COLUMNS = (
    Column("state", "state", 11, rank=2),
    Column("task", "task", 15),
    Column("model", "model", 12),
    Column("dataset", "data", 13, rank=3),
    Column("metric", "metric", 16, rank=1),
    Column("best", "best", 8, right=True),
    Column("created", "started", 10, right=True),
    Column("name", "name", 0, rank=4),
)
_EMPTY = "no model to ask yet: press 1, train a task, and come back"


class PlaygroundScreen(Area):
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
        self._filter = ""

    def body(self) -> ComposeResult:
        yield Table(COLUMNS, empty="looking …", enter="Ask", id="runs")
        yield FilterLine("words that must occur; task:NAME  state:WORD")

    @property
    def _table(self) -> Table:
        return self.query_one(Table)

    def on_mount(self) -> None:
        self._table.focus()
        self.runs_changed()

    def on_screen_resume(self) -> None:
        self.runs_changed()

    # Which there are

    def runs_changed(self) -> None:
        if self.dlkit.looked:
            self._look(self.dlkit.summaries)

    @work(thread=True, exclusive=True, group="checkpoints", exit_on_error=False)
    def _look(self, runs: Sequence[Summary]) -> None:
        able = [run for run in runs if run.id in self._able or has_checkpoint(self._folder(run.id))]
        self._able = {run.id for run in able}
        self.post_message(self.Found(able))

    def on_playground_screen_found(self, message: Found) -> None:
        self._runs = message.runs
        self._show()

    def _show(self) -> None:
        found = [run for run in self._runs if matches(run, self._filter)]
        table = self._table
        if bool(found) != bool(table.rows):
            self.refresh_bindings()
        table.empty = f"no run matches {self._filter!r}: escape shows all" if self._runs else _EMPTY
        table.show([_row(run) for run in found])
        shown = f"{len(found)} of " if self._filter else ""
        self.say_where(f"{shown}{counted(len(self._runs), 'model')} to ask")

    def _folder(self, identity: str) -> RunFolder:
        return RunFolder(self.workspace / "runs" / identity)

    # What is done with them

    def applies(self, action: str) -> bool:
        if action == "filter":
            return bool(self._runs)
        return bool(self._table.rows) or action != "choose"

    def on_table_chosen(self, message: Table.Chosen) -> None:
        self.dlkit.open_playground(self._folder(message.key))

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self._filter = message.text
        self._show()

    def on_filter_line_left(self) -> None:
        self._table.focus()

    def action_back(self) -> None:
        """All models again; there is nothing behind this screen."""
        self.query_one(FilterLine).leave()


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
        "name": run.name,
    }
    return Row(run.id, cells)
