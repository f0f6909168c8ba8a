"""Runs: all of a workspace, live; filtered, sorted, marked, compared, stopped, resumed, removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from dlkit.errors import DlkitError
from dlkit.monitor import run_actions
from dlkit.present.numbers import ago, ago_holds_until, counted, number, size
from dlkit.present.runs import spent, steps, titled
from dlkit.runs.folder import RunFolder, Summary
from dlkit.runs.naming import rename
from dlkit.runs.removal import delete_run
from dlkit.steering import one_line
from dlkit.tui.shared.dialogs import Ask, Confirm
from dlkit.tui.shared.filter_line import FilterLine
from dlkit.tui.shared.run_filter import matches
from dlkit.tui.shared.run_list import RunList
from dlkit.tui.shared.table import Cell, Column, Row, Table
from dlkit.tui.shared.words import state_cell

COLUMNS = (
    Column("state", "state", 11),
    Column("name", "name", 11, most=30, optional=True),
    Column("task", "task", 12, most=14),
    Column("model", "model", 8, rank=1, most=14),
    Column("dataset", "data", 12, rank=5, most=18),
    Column("step", "step", 9, right=True, most=15),
    Column("last", "last", 8, right=True, rank=4),
    Column("best", "best", 8, right=True),
    Column("seconds", "time", 8, right=True, rank=3),
    Column("created", "started", 10, right=True, rank=2),
    Column("device", "device", 8, rank=6),
    Column("size", "size", 9, right=True, rank=7),
)
_STATES = ("running", "paused", "queued", "foreign", "interrupted", "failed", "stopped", "completed")
_WAITING = ("queued", "foreign")
_NEED_A_RUN = ("choose", "mark", "compare", "resume", "stop")
_EMPTY = "no runs here yet: press 1, choose a task and press Enter"


class RunsScreen(RunList):
    """The table of all runs, newest first until it is sorted otherwise."""

    area = "runs"
    DEFAULT_CSS = """
    RunsScreen #detail { height: 3; padding: 0 2; background: $surface; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="runs.filter", tooltip="Words, or task:… state:…"),
        Binding("space", "mark", "Mark", id="runs.mark"),
        Binding("c", "compare", "Compare", id="runs.compare", tooltip="The marked runs"),
        Binding("s", "sort(1)", "Sort", show=False, id="runs.sort", tooltip="By the next column"),
        Binding("S", "sort(0)", "Turn order", show=False, id="runs.order", tooltip="Ascending, descending"),
        Binding("r", "resume", "Resume", id="runs.resume", tooltip="In a worker of its own, from the last checkpoint"),
        Binding("x", "stop", "Stop", id="runs.stop", tooltip="After its step, checkpoint written; or out of the queue"),
        Binding("delete,D", "remove", "Remove", show=False, id="runs.remove", tooltip="Delete folders; asks first"),
        Binding("n", "again", "Again …", show=False, id="runs.again", tooltip="The form filled from it, to be changed"),
        Binding("N", "rename", "Rename", show=False, id="runs.rename"),
        Binding("p", "ask", "Ask model", show=False, id="runs.ask", tooltip="In the playground"),
        Binding("u", "unmark", "Unmark all", show=False, id="runs.unmark"),
    ]

    class Done(Message):
        """What came of something that took its time."""

        def __init__(self, text: str, *, bad: bool = False) -> None:
            self.text, self.bad = text, bad
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, tuple[Summary, float, Row]] = {}
        self._sort, self._descending = "created", True
        self._found: Sequence[Summary] = ()

    def body(self) -> ComposeResult:
        yield Table(COLUMNS, empty="looking …", enter="Open", id="runs")
        yield FilterLine("words that must occur; task:NAME  state:WORD  model:NAME  data:NAME")
        yield Static("", id="detail", markup=False)

    # Rows

    def runs_changed(self) -> None:
        if self.dlkit.looked:
            self.show()

    def show(self) -> None:
        runs = self.dlkit.summaries
        found = [run for run in runs if matches(run, self.filter)] if self.filter else runs
        was_empty, self._found = not self._found, arranged(found, self._sort, self._descending)
        if was_empty != (not self._found):
            self.refresh_bindings()
        table = self.table
        table.empty = f"no run matches {self.filter!r}: escape shows all" if runs else _EMPTY
        table.sort_key, table.descending = self._sort, self._descending
        now = time.time()
        table.show([self._row(run, now) for run in self._found])
        marked = f", {len(table.marked)} marked" if table.marked else ""
        shown = f"{len(self._found)} of " if self.filter else ""
        self.say_where(f"{shown}{counted(len(runs), 'run')}{marked}{self._order()}  {self.workspace}")
        self._tell()

    def _order(self) -> str:
        """By what they are sorted: its column may be one that a narrow window has no room for."""
        if (self._sort, self._descending) == ("created", True):
            return ""
        title = next(column.title for column in COLUMNS if column.key == self._sort)
        return f", by {title}{'▼' if self._descending else '▲'}"

    def _row(self, run: Summary, now: float) -> Row:
        """A run that has not changed keeps its row until "3 min ago" is over: of a thousand that is most work."""
        known = self._rows.get(run.id)
        if known is None or known[0] is not run or now >= known[1]:
            known = self._rows[run.id] = run, ago_holds_until(run.created, now), _row(run, ago(run.created, now))
        return known[2]

    @on(Table.Moved)
    def _tell(self) -> None:
        run = self._run
        self.query_one("#detail", Static).update(_about(run) if run else "", layout=False)

    @property
    def _run(self) -> Summary | None:
        key = self.table.key
        return next((run for run in self._found if run.id == key), None)

    @property
    def _chosen(self) -> list[Summary]:
        """The marked runs, else the one under the cursor."""
        marked = [run for run in self._found if run.id in self.table.marked]
        return marked or ([self._run] if self._run else [])

    # Looking

    def applies(self, action: str) -> bool:
        if action == "filter":
            return bool(self.dlkit.summaries)
        return bool(self._found) or action not in _NEED_A_RUN

    def on_table_chosen(self, message: Table.Chosen) -> None:
        self.action_open()

    def action_open(self) -> None:
        if self._run is not None:
            self.dlkit.open_run(self.folder(self._run.id))

    def action_ask(self) -> None:
        if self._run is not None:
            self.dlkit.open_playground(self.folder(self._run.id))

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self.show()

    def action_unmark(self) -> None:
        self.table.marked.clear()
        self.show()

    def action_compare(self) -> None:
        marked = [run for run in self._found if run.id in self.table.marked]
        if len(marked) < 2:
            already = "one is marked: " if marked else ""
            self.notify(f"{already}mark two or more runs with space, then press c")
            return
        self.dlkit.open_compare([self.folder(run.id) for run in marked])

    def on_table_header_clicked(self, message: Table.HeaderClicked) -> None:
        self._descending = not self._descending if message.key == self._sort else message.key == "created"
        self._sort = message.key
        self.show()

    def action_sort(self, by: int) -> None:
        """By the next column; with 0 the other way round."""
        keys = [column.key for column in COLUMNS]
        if by:
            self._sort = keys[(keys.index(self._sort) + by) % len(keys)]
            self._descending = self._sort == "created"
        else:
            self._descending = not self._descending
        self.show()

    # Doing

    def action_stop(self) -> None:
        there = [run for run in self._chosen if run.state in (*run_actions.ALIVE, *_WAITING)]
        if not there:
            self.notify("nothing to stop: it neither runs nor waits", severity="warning")
            return
        names = ", ".join(map(titled, there))
        waiting = all(run.state in _WAITING for run in there)
        question = f"Stop {_runs(there)}? A checkpoint is written first."
        if waiting:
            question = f"Take {_runs(there)} out of the queue?"
        self._after(Confirm(question, names, "Stop"), lambda: self._do(there, run_actions.stop))

    def action_resume(self) -> None:
        there = [run for run in self._chosen if run.state in run_actions.RESUMABLE]
        catalog = self.dlkit.catalog
        if not there or catalog is None:
            self.notify("nothing to resume: only what was stopped, failed or interrupted can go on", severity="warning")
            return
        several = len(there) > 1
        self._do(there, lambda run: run_actions.resume(catalog, run, queued=several))

    def action_remove(self) -> None:
        there = self._chosen
        if any(run.state in run_actions.ALIVE for run in there):
            self.notify("a running job cannot be removed: stop it first", severity="warning")
            return
        if there:
            question = f"Remove {_runs(there)}, {size(sum(run.size for run in there))}? This cannot be undone."
            detail = "\n".join(map(titled, there[:8])) + (f"\n… {len(there) - 8} more" if len(there) > 8 else "")

            def remove(run: RunFolder) -> str:
                delete_run(run)
                return f"{run.id}: removed"

            self._after(Confirm(question, detail, "Remove"), lambda: self._do(there, remove))

    def action_again(self) -> None:
        if self._run is not None:
            self.dlkit.open_again(self.folder(self._run.id))

    def action_rename(self) -> None:
        run = self._run
        if run is None:
            return

        def take(name: str | None) -> None:
            if name is not None:
                self._do([run], partial(rename, text=name))

        self.app.push_screen(Ask(f"A name for {run.id}", run.name), take)

    def _after(self, question: Confirm, action: Callable[[], object]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                action()

        self.app.push_screen(question, answered)

    @work(thread=True, group="runs", exit_on_error=False)
    def _do(self, runs: Sequence[Summary], action: Callable[[RunFolder], str]) -> None:
        """The same to each; what is wrong with one does not keep the others from it."""
        told = []
        for run in runs:
            try:
                told.append(action(self.folder(run.id)))
            except (DlkitError, OSError, ValueError) as error:
                self.post_message(self.Done(str(error), bad=True))
        if told:
            dropped = [line for text in told for line in text.splitlines()[1:]]  # of foreign runs: never left unsaid
            first = told[0].splitlines()[0]
            text = first if len(told) == 1 else f"{first}; and {len(told) - 1} more"
            self.post_message(self.Done("\n".join([text, *dropped])))

    def on_runs_screen_done(self, message: Done) -> None:
        self.notify(message.text, severity="error" if message.bad else "information", markup=False)
        self.table.marked.clear()
        self.dlkit.poller.nudge()


def arranged(runs: Sequence[Summary], key: str, descending: bool) -> list[Summary]:
    """Sorted by a column; what has no value there comes last either way."""
    if key == "created":
        return list(runs) if descending else list(runs)[::-1]

    def value(run: Summary) -> Any:
        found = getattr(run, key)
        return _STATES.index(found) if key == "state" and found in _STATES else found

    there = [run for run in runs if _has(value(run))]
    words = any(isinstance(value(run), str) for run in there)
    ordered = sorted(there, key=lambda r: str(value(r)) if words else value(r), reverse=descending)
    return ordered + [run for run in runs if not _has(value(run))]


def _has(value: object) -> bool:
    return value is not None and value != "" and value == value


def _row(run: Summary, age: str) -> Row:
    cells: dict[str, Cell] = {
        "state": state_cell(run.state),
        "task": run.task or run.id,
        "model": run.model,
        "dataset": run.dataset,
        "step": steps(run),
        "last": number(run.last),
        "best": number(run.best),
        "seconds": spent(run),
        "created": age,
        "device": run.device,
        "size": size(run.size),
        "name": run.name,
    }
    return Row(run.id, cells)


def _about(run: Summary) -> Text:
    """What the columns leave out."""
    text = Text().append(one_line(f"{run.id}  {run.name}").rstrip(), "bold")
    text.append("\n" + one_line(", ".join(filter(None, (run.dataset, run.device, size(run.size))))))
    if run.metric:
        text.append(f"   {run.metric} last {number(run.last) or '-'}, best {number(run.best) or '-'}")
    if run.reason:
        text.append(f"\n{run.reason.partition(chr(10))[0]}", "italic")
    elif run.state not in _STATES:
        text.append(f"\n{run.state}", "italic")
    elif run.state == "interrupted":
        text.append("\nits worker died; r goes on from the last checkpoint", "italic")
    return text


def _runs(runs: Sequence[Summary]) -> str:
    return "this run" if len(runs) == 1 else f"{len(runs)} runs"
