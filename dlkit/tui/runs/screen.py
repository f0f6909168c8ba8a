"""Runs: all of a workspace, live; filtered, sorted, grouped, marked, compared, stopped, resumed, removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from dlkit.monitor.pulse import Pulse
from dlkit.monitor.pulses import Pulses
from dlkit.monitor.run_columns import NONE, arranged, falls, metric_keys, option_keys, words_of
from dlkit.monitor.run_groups import RunGroup, in_groups
from dlkit.monitor.run_options import RunOptions
from dlkit.monitor.run_query import FORMS, parse
from dlkit.present.numbers import ago, ago_holds_until, counted
from dlkit.runs.folder import Summary
from dlkit.tui.runs.deeds import RunDeeds
from dlkit.tui.runs.grouped import choices, group_of, head_of, rows_of
from dlkit.tui.runs.look import Look, kept_look
from dlkit.tui.runs.rows import DEFAULT, OTHERS, UNSORTED, about, about_group, columns_of, row, title_of
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.shared.filter_line import FilterLine
from dlkit.tui.shared.table import Row, Table

NO_PULSE = Pulse()
_NEED_A_RUN = ("choose", "mark", "compare", "resume", "stop", "columns", "group")
_NEED_GROUPS = ("fold", "unfold", "fold_all")
_EMPTY = "no runs here yet: press 1, choose a task and press Enter"


class RunsScreen(RunDeeds):
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
        Binding("left", "fold", "Fold", show=False, id="runs.fold", tooltip="The group that the cursor is in"),
        Binding("right", "unfold", "Unfold", show=False, id="runs.unfold"),
        Binding("z", "fold_all", "Fold all", show=False, id="runs.fold-all", tooltip="All groups, or none"),
        Binding("r", "resume", "Resume", id="runs.resume", tooltip="In a worker of its own, from the last checkpoint"),
        Binding("x", "stop", "Stop", id="runs.stop", tooltip="After its step, checkpoint written; or out of the queue"),
        Binding("b", "group", "Group by", id="runs.group", tooltip="Task, model, study, an option; it is remembered"),
        Binding("o", "columns", "Columns", id="runs.columns", tooltip="Which, in which order; it is remembered"),
        Binding("delete,D", "remove", "Remove", show=False, id="runs.remove", tooltip="Delete folders; asks first"),
        Binding("n", "again", "Again …", show=False, id="runs.again", tooltip="The form filled from it, to be changed"),
        Binding("F", "fork", "Fork …", show=False, id="runs.fork", tooltip="On from a checkpoint, with other settings"),
        Binding("N", "rename", "Rename", show=False, id="runs.rename"),
        Binding("T", "tag", "Tag", show=False, id="runs.tag", tooltip="Words by which runs are found: tag:baseline"),
        Binding("M", "note", "Note", show=False, id="runs.note", tooltip="Write down what you think of it"),
        Binding("p", "ask", "Ask model", show=False, id="runs.ask", tooltip="In the playground"),
        Binding("u", "unmark", "Unmark all", show=False, id="runs.unmark"),
    ]

    class Learnt(Message):
        """Courses, or options, that have been read."""

        def __init__(self, pulses: Mapping[str, Pulse] | None = None) -> None:
            self.pulses = pulses or {}
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, tuple[Summary, float, Row, Pulse]] = {}
        self.look = kept_look()
        self._past: Mapping[str, Pulse] = {}
        self._feeling: Pulses | None = None
        self._options: RunOptions | None = None
        self._then: Callable[[], None] | None = None
        """What waits for the options of runs."""
        self._found: Sequence[Summary] = ()
        self._groups: Sequence[RunGroup] = ()

    def body(self) -> ComposeResult:
        yield Table(columns_of(self.look.columns), empty="looking …", enter="Open", id="runs")
        yield FilterLine(FORMS)
        yield Static("", id="detail", markup=False)

    # Rows

    def runs_changed(self) -> None:
        if self.dlkit.looked:
            self.show()

    def show(self) -> None:
        runs, look = self.dlkit.summaries, self.look
        found = self._matching(runs)
        was_empty, self._found = not self._found, arranged(found, look.sort, look.descending, self._known)
        self._groups = in_groups(self._found, [look.group], self._known) if look.group else ()
        if was_empty != (not self._found):
            self.refresh_bindings()
        table = self.table
        table.empty = f"no run matches {self.filter!r}: escape shows all" if runs else _EMPTY
        table.sort_key, table.descending = look.sort, look.descending
        table.show(self._made(), {run.id for run in self._found} if look.group else ())
        marked = f", {len(table.marked)} marked" if table.marked else ""
        shown = f"{len(self._found)} of " if self.filter else ""
        told = f"{shown}{counted(len(runs), 'run')}{marked}{self._order()}"
        self.say_where(f"{told}  {self.workspace}", told)
        self._tell()
        self._feel_what_is_seen()

    def _made(self) -> list[Row]:
        now = time.time()
        if not self.look.group:
            return [self._row(run, now) for run in self._found]
        folded = set(self.look.folded)
        seen = chain.from_iterable(group.runs for group in self._groups if group.id not in folded)
        before = {row.key: row for row in self.table.rows if not row.cells}
        return rows_of(self._groups, folded, {run.id: self._row(run, now) for run in seen}, before)

    @property
    def _known(self) -> Mapping[str, Mapping[str, object]]:
        """Options of runs, as far as they have been read."""
        return self._options.known if self._options is not None else {}

    def _matching(self, runs: Sequence[Summary]) -> Sequence[Summary]:
        """Those that the filter lets through; what asks for options waits until they have been read."""
        query = parse(self.filter)
        if query.asks_options or self.look.asks_options:
            self._want_options(runs)
        return [run for run in runs if query.matches(run, self._known.get(run.id))] if self.filter else runs

    def _want_options(self, runs: Sequence[Summary]) -> bool:
        """Whether those of all runs are known; what is missing is being read."""
        self._options = self._options or RunOptions(self.workspace)
        missing = bool(self._options.missing(runs))
        if missing:
            self._read_options(self._options, runs)
        return not missing

    @work(thread=True, exclusive=True, group="options", exit_on_error=False)
    def _read_options(self, options: RunOptions, runs: Sequence[Summary]) -> None:
        options.read(runs)
        self.post_message(self.Learnt())

    def _feel_what_is_seen(self) -> None:
        """Of a thousand runs the courses of those that are on the screen are read."""
        top, height = self.table.scroll_offset.y, self.table.size.height
        there = {row.key for row in self.table.rows[top : top + height]}
        known = {**self._past, **self.dlkit.pulses}
        seen = [run for run in self._found if run.id in there and run.id not in known]
        if seen:
            self._feeling = self._feeling or Pulses(self.workspace)
            self._past = {**self._past, **dict.fromkeys((run.id for run in seen), Pulse())}
            self._feel(self._feeling, seen)

    @work(thread=True, group="pulses", exit_on_error=False)
    def _feel(self, pulses: Pulses, runs: Sequence[Summary]) -> None:
        self.post_message(self.Learnt(pulses.look(runs)))

    def on_runs_screen_learnt(self, message: Learnt) -> None:
        self._past = {**self._past, **message.pulses}
        if not message.pulses:
            self._rows.clear()
            then, self._then = self._then, None
            if then is not None:
                then()
        self.show()

    def _order(self) -> str:
        """By what they are sorted, and in which groups: its column may be one that a narrow window has no room for."""
        look = self.look
        order = "" if look.is_newest_first else f", by {title_of(look.sort)}{'▼' if look.descending else '▲'}"
        return f"{order}, in groups by {title_of(look.group)}" if look.group else order

    def _row(self, run: Summary, now: float) -> Row:
        """A run that has not changed keeps its row until "3 min ago" is over: of a thousand that is most work."""
        pulse = self._pulse(run)
        known = self._rows.get(run.id)
        if known is None or known[0] is not run or known[3] is not pulse or now >= known[1]:
            more = {key: words_of(run, key, self._known.get(run.id, NONE)) for key in self._more}
            made = row(run, ago(run.created, now), pulse, more)
            known = self._rows[run.id] = run, ago_holds_until(run.created, now), made, pulse
        return known[2]

    @property
    def _more(self) -> list[str]:
        """Columns that not every list has."""
        return [key for key in self.look.columns if key not in DEFAULT]

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
        run, group, problems = self.run, self._group, parse(self.filter).problems
        text = about(run) if run else about_group(group) if group else Text()
        self.table.say_enter("Open" if run or not group else "Unfold" if group.id in self.look.folded else "Fold")
        if problems:
            text = Text(f"left out of the filter: {problems[0]}", "bold yellow").append("\n").append_text(text)
        self.query_one("#detail", Static).update(text, layout=False)

    @property
    def run(self) -> Summary | None:
        key = self.table.key
        return next((run for run in self._found if run.id == key), None)

    @property
    def _group(self) -> RunGroup | None:
        """That whose heading the cursor is on."""
        key = group_of(self.table.key)
        return next((group for group in self._groups if group.id == key), None) if key else None

    @property
    def chosen(self) -> list[Summary]:
        """The marked runs, else the one under the cursor, else those of the group."""
        marked = [run for run in self._found if run.id in self.table.marked]
        here = [self.run] if self.run else list(self._group.runs) if self._group else []
        return marked or here

    # Looking

    def applies(self, action: str) -> bool:
        if action == "filter":
            return bool(self.dlkit.summaries)
        return bool(self._found) or action not in _NEED_A_RUN

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing folds in a list without groups."""
        return action not in _NEED_GROUPS or bool(self.look.group)

    def on_table_chosen(self, message: Table.Chosen) -> None:
        self.action_open()

    def action_open(self) -> None:
        if self._group is not None:
            self._turn(self._group.id)
        elif self.run is not None:
            self.dlkit.open_run(self.folder(self.run.id))

    def action_ask(self) -> None:
        if self.run is not None:
            self.dlkit.open_playground(self.folder(self.run.id))

    def action_mark(self) -> None:
        """The run, or all runs of a group: if all are marked, none of them."""
        if self._group is None:
            self.table.toggle_mark()
        else:
            there, marked = {run.id for run in self._group.runs}, self.table.marked
            self.table.marked = marked - there if there <= marked else marked | there
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

    # The look of the list

    def _look(self, look: Look) -> None:
        self.look = look
        look.keep()
        self._rows.clear()
        self.table.columns = columns_of(look.columns)
        self.show()
        self.refresh_bindings()

    def on_table_header_clicked(self, message: Table.HeaderClicked) -> None:
        if message.key not in UNSORTED:
            self._sort_by(message.key)

    def action_sort(self) -> None:
        """By a column that is chosen; the one that it is sorted by already, the other way round."""
        keys = dict.fromkeys((*DEFAULT, *self.look.columns, self.look.sort))
        those = tuple((key, title_of(key)) for key in keys if key not in UNSORTED)

        def take(key: str | None) -> None:
            if key is not None:
                self._sort_by(key)

        self.app.push_screen(ChooseDialog("Sort by", those, self.look.sort), take)

    def _sort_by(self, key: str) -> None:
        again = key == self.look.sort
        descending = not self.look.descending if again else falls(key, self._found)
        self._look(self.look._replace(sort=key, descending=descending))

    def action_turn(self) -> None:
        self._look(self.look._replace(descending=not self.look.descending))

    def _once_read(self, action: Callable[[], None]) -> None:
        """When the options of all runs are known."""
        if self._want_options(self._found):
            action()
        else:
            self._then = action

    def action_columns(self) -> None:
        self._once_read(self._choose_columns)

    def _choose_columns(self) -> None:
        from dlkit.tui.runs.columns import ColumnsDialog

        def take(columns: tuple[str, ...] | None) -> None:
            if columns is not None:
                self._look(self.look._replace(columns=columns))

        others = (*DEFAULT, *(column.key for column in OTHERS))
        measured = (*metric_keys(self._found), *option_keys(self._found, self._known))
        self.app.push_screen(ColumnsDialog(self.look.columns, (*others, *measured)), take)

    def action_group(self) -> None:
        self._once_read(self._choose_group)

    def _choose_group(self) -> None:
        def take(key: str | None) -> None:
            if key is not None:
                self._look(self.look._replace(group=key))

        those = choices(self._found, self._known)
        self.app.push_screen(ChooseDialog("Group the runs by", those, self.look.group), take)

    def _turn(self, group: str) -> None:
        self._look(self.look.turned(group))

    def action_fold(self) -> None:
        """The group that the cursor is in, whose heading it is on then."""
        key = self.table.key
        group = self._group or next((g for g in self._groups if any(run.id == key for run in g.runs)), None)
        if group is not None and group.id not in self.look.folded:
            self.table.go_to(head_of(group))
            self._turn(group.id)

    def action_unfold(self) -> None:
        if self._group is not None and self._group.id in self.look.folded:
            self._turn(self._group.id)

    def action_fold_all(self) -> None:
        """All, or none if all are."""
        there = {group.id for group in self._groups}
        others = [name for name in self.look.folded if name not in there]
        folded = others if there <= set(self.look.folded) else [*others, *there]
        self._look(self.look._replace(folded=tuple(folded)))
