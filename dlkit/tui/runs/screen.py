"""Runs: all of a workspace, live; filtered, sorted, marked, compared, stopped, resumed, removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from dlkit.errors import DlkitError
from dlkit.monitor import run_actions
from dlkit.monitor.pulse import Pulse
from dlkit.monitor.pulses import Pulses
from dlkit.monitor.run_options import RunOptions
from dlkit.monitor.run_query import FORMS, parse
from dlkit.present.numbers import ago, ago_holds_until, counted, size
from dlkit.present.runs import titled
from dlkit.runs.folder import RunFolder, Summary
from dlkit.runs.naming import rename
from dlkit.runs.removal import delete_run
from dlkit.tui.runs.rows import COLUMNS, UNSORTED, about, arranged, kept_order, row
from dlkit.tui.shared import settings
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.shared.dialogs import Ask, Confirm
from dlkit.tui.shared.filter_line import FilterLine
from dlkit.tui.shared.run_list import RunList
from dlkit.tui.shared.table import Row, Table

_WAITING = ("queued", "foreign")
_NEWEST_FIRST = ("created",)
NO_PULSE = Pulse()
_NEED_A_RUN = ("choose", "mark", "compare", "resume", "stop")
_EMPTY = "no runs here yet: press 1, choose a task and press Enter"


class RunsScreen(RunList):
    """The table of all runs, newest first until it is sorted otherwise."""

    area = "runs"
    DEFAULT_CSS = """
    RunsScreen #detail { height: 3; padding: 0 2; background: $surface; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "filter",
            "Filter",
            key_display="/",
            id="runs.filter",
            tooltip=FORMS,
        ),
        Binding("space", "mark", "Mark", id="runs.mark"),
        Binding("c", "compare", "Compare", id="runs.compare", tooltip="The marked runs"),
        Binding("s", "sort", "Sort", show=False, id="runs.sort", tooltip="By which column; it is remembered"),
        Binding("S", "turn", "Turn order", show=False, id="runs.order", tooltip="Ascending, descending"),
        Binding("r", "resume", "Resume", id="runs.resume", tooltip="In a worker of its own, from the last checkpoint"),
        Binding("x", "stop", "Stop", id="runs.stop", tooltip="After its step, checkpoint written; or out of the queue"),
        Binding("delete,D", "remove", "Remove", show=False, id="runs.remove", tooltip="Delete folders; asks first"),
        Binding("n", "again", "Again …", show=False, id="runs.again", tooltip="The form filled from it, to be changed"),
        Binding("N", "rename", "Rename", show=False, id="runs.rename"),
        Binding("p", "ask", "Ask model", show=False, id="runs.ask", tooltip="In the playground"),
        Binding("u", "unmark", "Unmark all", show=False, id="runs.unmark"),
    ]

    class Learnt(Message):
        """Courses, or options, that have been read."""

        def __init__(self, pulses: Mapping[str, Pulse] | None = None) -> None:
            self.pulses = pulses or {}
            super().__init__()

    class Done(Message):
        """What came of something that took its time."""

        def __init__(self, text: str, *, bad: bool = False) -> None:
            self.text, self.bad = text, bad
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, tuple[Summary, float, Row, Pulse]] = {}
        self._sort, self._descending = kept_order()
        self._past: Mapping[str, Pulse] = {}
        self._feeling: Pulses | None = None
        self._options: RunOptions | None = None
        self._found: Sequence[Summary] = ()

    def body(self) -> ComposeResult:
        yield Table(COLUMNS, empty="looking …", enter="Open", id="runs")
        yield FilterLine(FORMS)
        yield Static("", id="detail", markup=False)

    # Rows

    def runs_changed(self) -> None:
        if self.dlkit.looked:
            self.show()

    def show(self) -> None:
        runs = self.dlkit.summaries
        found = self._matching(runs) if self.filter else runs
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
        self._feel_what_is_seen()

    def _matching(self, runs: Sequence[Summary]) -> list[Summary]:
        """Those that the filter lets through; what asks for options waits until they have been read."""
        query, options = parse(self.filter), self._options or RunOptions(self.workspace)
        self._options = options
        if query.asks_options and options.missing(runs):
            self._read_options(options, runs)
        return [run for run in runs if query.matches(run, options.known.get(run.id))]

    @work(thread=True, exclusive=True, group="options", exit_on_error=False)
    def _read_options(self, options: RunOptions, runs: Sequence[Summary]) -> None:
        options.read(runs)
        self.post_message(self.Learnt())

    def _feel_what_is_seen(self) -> None:
        """Of a thousand runs the courses of those that are on the screen are read."""
        top, height = self.table.scroll_offset.y, self.table.size.height
        seen = [run for run in self._found[top : top + height] if run.id not in {**self._past, **self.dlkit.pulses}]
        if seen:
            self._feeling = self._feeling or Pulses(self.workspace)
            self._past = {**self._past, **dict.fromkeys((run.id for run in seen), Pulse())}
            self._feel(self._feeling, seen)

    @work(thread=True, group="pulses", exit_on_error=False)
    def _feel(self, pulses: Pulses, runs: Sequence[Summary]) -> None:
        self.post_message(self.Learnt(pulses.look(runs)))

    def on_runs_screen_learnt(self, message: Learnt) -> None:
        self._past = {**self._past, **message.pulses}
        self.show()

    def _order(self) -> str:
        """By what they are sorted: its column may be one that a narrow window has no room for."""
        if (self._sort, self._descending) == ("created", True):
            return ""
        title = next(column.title for column in COLUMNS if column.key == self._sort)
        return f", by {title}{'▼' if self._descending else '▲'}"

    def _row(self, run: Summary, now: float) -> Row:
        """A run that has not changed keeps its row until "3 min ago" is over: of a thousand that is most work."""
        pulse = self._pulse(run)
        known = self._rows.get(run.id)
        if known is None or known[0] is not run or known[3] is not pulse or now >= known[1]:
            made = row(run, ago(run.created, now), pulse)
            known = self._rows[run.id] = run, ago_holds_until(run.created, now), made, pulse
        return known[2]

    def _pulse(self, run: Summary) -> Pulse:
        return self.pulses.get(run.id) or self._past.get(run.id) or NO_PULSE

    @property
    def pulses(self) -> Mapping[str, Pulse]:
        """Of the runs that live."""
        return self.dlkit.pulses if self.is_attached else {}

    @on(Table.Moved)
    def _moved(self) -> None:
        self._tell()
        self._feel_what_is_seen()

    def _tell(self) -> None:
        run, problems = self._run, parse(self.filter).problems
        text = about(run) if run else Text()
        if problems:
            text = Text(f"left out of the filter: {problems[0]}", "bold yellow").append("\n").append_text(text)
        self.query_one("#detail", Static).update(text, layout=False)

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
        self._sort_by(message.key, descending=self._descending)

    def action_sort(self) -> None:
        """By a column that is chosen; the one that it is sorted by already, the other way round."""
        choices = tuple((column.key, column.title) for column in COLUMNS if column.key not in UNSORTED)

        def take(key: str | None) -> None:
            if key is not None:
                self._sort_by(key, descending=not self._descending if key == self._sort else key in _NEWEST_FIRST)

        self.app.push_screen(ChooseDialog("Sort by", choices, self._sort), take)

    def action_turn(self) -> None:
        self._sort_by(self._sort, descending=not self._descending)

    def _sort_by(self, key: str, *, descending: bool) -> None:
        self._sort, self._descending = key, descending
        settings.keep("runs-sort", [key, descending])
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


def _runs(runs: Sequence[Summary]) -> str:
    return "this run" if len(runs) == 1 else f"{len(runs)} runs"
