"""Tasks: what can be trained, with which data, how the last run went, and what is wrong with what cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from dlkit.catalog import Catalog
from dlkit.monitor.data_state import BIG, DataState, Lacking, download_choices, lacking
from dlkit.monitor.faults import Fault, plugin_faults, preset_faults
from dlkit.monitor.task_list import TaskEntry, list_tasks
from dlkit.present.numbers import ago, number, size
from dlkit.present.runs import best, titled
from dlkit.present.text import first_line
from dlkit.runs.folder import RunFolder, Summary
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.shared.table import Cell, Column, Row, Table
from dlkit.tui.shared.words import hanging, state_cell

COLUMNS = (
    Column("task", "task", 15),
    Column("title", "title", 22, rank=3),
    Column("data", "data", 20, rank=1),
    Column("last", "last run", 23),
    Column("best", "best", 16, rank=2),
    Column("summary", "about", 0, rank=4),
)
_Look = Callable[[Catalog], list[Fault]]
_HINT = "Enter: choose settings and start a run. d: fetch data. ?: all keys."


class TasksScreen(Area):
    """The first screen: one row a task, then one for whatever a plugin offers in vain."""

    area = "tasks"
    DEFAULT_CSS = """
    TasksScreen #detail { height: auto; max-height: 11; padding: 0 2; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "fetch", "Fetch data", id="tasks.fetch", tooltip="Download what the task's data sets need"),
        Binding("r", "last", "Last run", id="tasks.last", tooltip="Open the task's newest run"),
        Binding("b", "best", "Best run", show=False, id="tasks.best"),
    ]

    class Listed(Message):
        def __init__(self, entries: list[TaskEntry]) -> None:
            self.entries = entries
            super().__init__()

    class Faulty(Message):
        """What of the plugins cannot be used, as ``look`` has found."""

        def __init__(self, look: _Look, faults: list[Fault]) -> None:
            self.look, self.faults = look, faults
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, TaskEntry] = {}
        self._faulty: dict[_Look, list[Fault]] = {}
        self._faults: dict[str, Fault] = {}

    def body(self) -> ComposeResult:
        yield Table(COLUMNS, empty="loading the plugins …", enter="Launch", id="tasks")
        yield Static(_HINT, id="detail")

    def on_mount(self) -> None:
        self.say_where(str(self.workspace))
        self._table.focus()
        if self.dlkit.catalog is not None:
            self.plugins_loaded()

    @property
    def _table(self) -> Table:
        return self.query_one(Table)

    # What there is

    def plugins_loaded(self) -> None:
        self._list()
        if self.dlkit.catalog is not None:
            for look in (plugin_faults, preset_faults):
                self._look_for_faults(look, self.dlkit.catalog)

    def runs_changed(self) -> None:
        self._list()

    def on_screen_resume(self) -> None:
        self._list()

    def _list(self) -> None:
        if self.dlkit.catalog is not None:
            self._look(self.dlkit.catalog, self.workspace / "data", self.dlkit.summaries)

    @work(thread=True, exclusive=True, group="tasks", exit_on_error=False)
    def _look(self, catalog: Catalog, data: Path, runs: Sequence[Summary]) -> None:
        self.post_message(self.Listed(list_tasks(catalog, data, runs)))

    @work(thread=True, group="faults", exit_on_error=False)
    def _look_for_faults(self, look: _Look, catalog: Catalog) -> None:
        self.post_message(self.Faulty(look, look(catalog)))

    def on_tasks_screen_listed(self, message: Listed) -> None:
        self._entries = {entry.spec.name: entry for entry in message.entries}
        self._table.empty = "no plugin offers a task: pip install one, or see dlkit plugins"
        self._show()

    def on_tasks_screen_faulty(self, message: Faulty) -> None:
        self._faulty[message.look] = message.faults
        found = [fault for look in (plugin_faults, preset_faults) for fault in self._faulty.get(look, ())]
        self._faults = {_key(fault): fault for fault in found}
        self._show()

    def _show(self) -> None:
        rows = [_row(entry) for entry in self._entries.values()]
        self._table.show(rows + [_fault_row(key, fault) for key, fault in self._faults.items()])
        self._tell()

    # The row under the cursor

    def on_table_moved(self, _: Table.Moved) -> None:
        self._tell()

    def _tell(self) -> None:
        key = self._table.key
        if key in self._entries:
            text = _about(self._entries[key], first_time=not self.dlkit.summaries)
        elif key in self._faults:
            text = _trouble(self._faults[key])
        else:
            return
        detail = self.query_one("#detail", Static)
        detail.update(hanging(text, max(20, self.size.width - 4), self.app.console))

    def on_resize(self) -> None:
        self._tell()

    def on_table_chosen(self, _: Table.Chosen) -> None:
        self.action_open()

    def action_open(self) -> None:
        """The launch form, or what is wrong."""
        key = self._table.key
        if key in self._faults:
            from dlkit.tui.shared.dialogs import TextDialog

            fault = self._faults[key]
            self.app.push_screen(
                TextDialog(f"{fault.plugin.name} {_became(fault)}", f"{fault.reason}\n\n{fault.traceback}")
            )
        elif key:
            self.dlkit.open_launch(key)

    def action_fetch(self) -> None:
        """Download what the task's data sets lack; where that is nothing, say how the rest is fetched by hand."""
        entry, catalog = self._entries.get(self._table.key), self.dlkit.catalog
        if entry is None or catalog is None:
            return
        wanted = lacking(entry.data, catalog.specs("dataset", entry.spec.name))
        if not wanted:
            self.notify(f"{entry.spec.name}: all its data is here", markup=False)
            return
        if (len(wanted) == 1 and wanted[0].size < BIG) or not any(one.size for one in wanted):
            self._get(wanted)
            return

        def take(name: str | None) -> None:
            if name is not None:
                self._get([one for one in wanted if name in ("", one.dataset)])

        self.app.push_screen(ChooseDialog("Download which?", download_choices(wanted), wanted[0].dataset), take)

    def _get(self, wanted: Sequence[Lacking]) -> None:
        from dlkit.tui.shared.fetch import FetchDialog

        sources = list(dict.fromkeys(name for one in wanted for name in one.sources))
        total = sum(one.size for one in wanted)
        self.app.push_screen(FetchDialog(sources, total, self.workspace), lambda _: self._list())

    def action_last(self) -> None:
        self._open_run("last")

    def action_best(self) -> None:
        self._open_run("best")

    def _open_run(self, which: str) -> None:
        entry = self._entries.get(self._table.key)
        run: Summary | None = getattr(entry, which, None)
        if run is None:
            self.notify("this task has no run yet: Enter starts one")
        else:
            self.dlkit.open_run(RunFolder(self.workspace / "runs" / run.id))


def _row(entry: TaskEntry) -> Row:
    spec, last, best = entry.spec, entry.last, entry.best
    cells: dict[str, Cell] = {"task": spec.name, "title": spec.title, "summary": spec.summary}
    cells["data"] = data_word(entry.default_data)
    if last is not None:
        text, style = state_cell(last.state)
        cells["last"] = f"{text}, {ago(last.updated or last.created)}", style
    if best is not None and best.best is not None:
        cells["best"] = f"{best.metric.rpartition('/')[2]} {number(best.best)}"
    return Row(spec.name, cells)


def _fault_row(key: str, fault: Fault) -> Row:
    last = f"{fault.state} {fault.what}".rstrip(), "bold yellow" if fault.what else "bold red"
    return Row(key, {"task": fault.plugin.name, "last": last, "summary": first_line(fault.reason)})


def data_word(state: DataState) -> str:
    """``embedded``, ``present``, or what is to be downloaded."""
    amount = f" {size(state['download'])}" if state["download"] else ""  # a source need not say how large it is
    return f"download{amount}" if state["state"] == "download" else state["state"]


def _about(entry: TaskEntry, *, first_time: bool) -> Text:
    spec, default = entry.spec, entry.defaults["dataset"]
    text = Text()
    text.append(f"{spec.title}. ", "bold")
    text.append(f"{spec.summary}\n")
    text.append("default  ", "dim")
    text.append(", ".join(f"{part} {name}" for part, name in entry.defaults.items()) + "\n")
    text.append("data     ", "dim")
    names = sorted(entry.data, key=lambda name: (name != default, name))
    text.append("; ".join(f"{name}: {data_word(entry.data[name])}" for name in names) + "\n")
    for word, run in (("last", entry.last), ("best", entry.best)):
        if run is not None and not (word == "best" and run is entry.last):
            text.append(f"{word:9}", "dim")
            figure = f", {best(run)}" if run.best is not None else ""
            also = ", the best so far" if word == "last" and run is entry.best else ""
            text.append(f"{titled(run)}, {run.state}{figure}{also}\n")
    text.append("metric   ", "dim")
    text.append(f"{spec.metric}, {'higher' if spec.direction == 'max' else 'lower'} is better")
    text.append(f"   plugin {entry.plugin.name} {entry.plugin.version}".rstrip(), "dim")
    if first_time:
        text.append(f"\n{_HINT}", "italic")
    return text


def _key(fault: Fault) -> str:
    """Of its row; a plugin may lose several components of one name, each for another task."""
    return " ".join(filter(None, ("plugin", fault.plugin.name, fault.what, fault.reason if fault.what else "")))


def _became(fault: Fault) -> str:
    return f"cannot offer {fault.what}" if fault.what else "is broken"


def _trouble(fault: Fault) -> Text:
    plugin, rest = fault.plugin, "Whatever else it offers works." if fault.what else "The other plugins work."
    text = Text()
    text.append(f"Plugin {plugin.name} ({plugin.distribution} {plugin.version}) {_became(fault)}.\n", "bold")
    text.append(f"{fault.reason}\n")
    text.append(f"Enter: {'the whole traceback' if fault.traceback else 'all of it'}. {rest}", "italic")
    return text
