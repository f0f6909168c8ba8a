"""Home: what runs now, what waits, what ended since somebody looked; below, what can be trained, and how that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static

from dlkit.catalog import Catalog
from dlkit.components import Spec
from dlkit.monitor.data_state import BIG, Lacking, download_choices, lacking
from dlkit.monitor.faults import Fault, plugin_faults, preset_faults
from dlkit.monitor.home import Home, home
from dlkit.monitor.pulse import Pulse
from dlkit.monitor.pulses import Pulses
from dlkit.monitor.task_list import TaskEntry, list_tasks, with_runs
from dlkit.runs.folder import Summary, folder_of
from dlkit.tui.home import detail
from dlkit.tui.home.machine import MachineLine
from dlkit.tui.home.newest import NewestSample
from dlkit.tui.home.rows import COLUMNS, key_of, rows, run_of, settled, task_of
from dlkit.tui.home.waits import Waits
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.table import Table
from dlkit.tui.shared.words import hanging

_Look = Callable[[Catalog], list[Fault]]
BELOW = 7
"""Lines that stay for what is below the list, however long that is."""
AGES_SECONDS = 20.0
"""Between two looks at the clock while nothing happens: "3 min ago" is to be true."""
_PARTS = ("model", "dataset", "loss", "trainer")
"""Of a task, as the launch form has them."""
FIRST_TASK = "classification"
"""Where the cursor is while there is no run: it learns from data that comes with it, in seconds."""


class Detail(Static):
    """Says when it has other lines or another width: what it shows is made for them."""

    class Resized(Message):
        pass

    def on_resize(self) -> None:
        self.post_message(self.Resized())


class HomeScreen(Area):
    """The first screen. One list, so that one cursor reaches everything; a heading over each kind of row."""

    area = "home"
    DEFAULT_CSS = """
    HomeScreen #below { height: 1fr; background: $surface; }
    HomeScreen #detail { width: 1fr; height: 100%; padding: 0 2; }
    HomeScreen #first-minute { height: 1; padding: 0 2; background: $primary 30%; display: none; }
    HomeScreen.empty #first-minute { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "fetch", "Fetch data", id="tasks.fetch", tooltip="Download what the task's data sets need"),
        Binding("r", "last", "Last run", id="tasks.last", tooltip="Open the task's newest run"),
        Binding("b", "best", "Best run", show=False, id="tasks.best"),
        Binding("m", "machine", "Machine", show=False, id="tasks.machine", tooltip="Cores, memory, disk, GPUs"),
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

    class Felt(Message):
        """Pulses of runs that have ended."""

        def __init__(self, pulses: Mapping[str, Pulse]) -> None:
            self.pulses = pulses
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, HomeScreen.Felt)

    class Waiting(Message):
        """Why runs wait, by id."""

        def __init__(self, waits: Mapping[str, str]) -> None:
            self.waits = waits
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, HomeScreen.Waiting)

    def __init__(self) -> None:
        super().__init__()
        self._tasks: Sequence[TaskEntry] = ()
        self._entries: dict[str, TaskEntry] = {}
        self._faulty: dict[_Look, list[Fault]] = {}
        self._faults: dict[str, Fault] = {}
        self._home = Home((), (), (), ())
        self._past: Mapping[str, Pulse] = {}
        self._pulses: Pulses | None = None
        self._waits: Mapping[str, str] = {}

    def body(self) -> ComposeResult:
        yield Static(detail.first_minute(), id="first-minute")
        yield Table(COLUMNS, empty="loading the plugins …", enter="Launch", id="tasks")
        with Horizontal(id="below"):
            yield Detail("", id="detail")
            yield NewestSample()
        yield MachineLine()

    def on_mount(self) -> None:
        self.say_where(str(self.workspace))
        self._table.focus()
        self._pulses = Pulses(self.workspace)
        self.set_interval(AGES_SECONDS, self._show)
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
        self._show()

    def on_screen_resume(self) -> None:
        waits = Waits(self.workspace, lambda: bool(self._home.waiting))
        watch = self.dlkit.poller.watch
        self.while_shown(watch(waits.poll, self.Waiting, self), self.query_one(MachineLine).follow(self.dlkit))
        self._list()

    def _list(self) -> None:
        if self.dlkit.catalog is not None:
            self._look(self.dlkit.catalog, self.workspace / "data")

    @work(thread=True, exclusive=True, group="tasks", exit_on_error=False)
    def _look(self, catalog: Catalog, data: Path) -> None:
        self.post_message(self.Listed(list_tasks(catalog, data)))

    @work(thread=True, group="faults", exit_on_error=False)
    def _look_for_faults(self, look: _Look, catalog: Catalog) -> None:
        self.post_message(self.Faulty(look, look(catalog)))

    @work(thread=True, exclusive=True, group="pulses", exit_on_error=False)
    def _feel(self, pulses: Pulses, runs: Sequence[Summary]) -> None:
        self.post_message(self.Felt(pulses.look(runs)))

    def on_home_screen_listed(self, message: Listed) -> None:
        self._tasks = message.entries
        self._table.empty = "no plugin offers a task: pip install one, or see dlkit plugins"
        self._show()

    def on_home_screen_faulty(self, message: Faulty) -> None:
        self._faulty[message.look] = message.faults
        found = [fault for look in (plugin_faults, preset_faults) for fault in self._faulty.get(look, ())]
        self._faults = {_key(fault): fault for fault in found}
        self._show()

    def on_home_screen_felt(self, message: Felt) -> None:
        self._past = message.pulses
        self._show()

    def on_home_screen_waiting(self, message: Waiting) -> None:
        self._waits = message.waits
        self._show()

    def _show(self) -> None:
        if not self.dlkit.looked or not self.is_current:
            return
        host, first = self.dlkit, not self._table.key
        entries = with_runs(self._tasks, host.summaries)
        self._entries = {key_of(entry.spec.name): entry for entry in entries}
        room = self.size.height - 2 - BELOW - len(entries) - len(self._faults) - 6
        self._home = home(host.summaries, host.since, host.seen, room)
        self.set_class(not host.summaries, "empty")
        self._feel_what_is_new()
        found = rows(self._home, {**self._past, **host.pulses}, self._waits, entries, self._faults)
        self._table.show(settled(found, self._table.rows))
        if first and not host.summaries:
            self._table.go_to(key_of(FIRST_TASK))
        self._arrange(len(found))
        self._tell()

    def _feel_what_is_new(self) -> None:
        over = [*self._home.ended, *self._home.lately]
        if self._pulses is not None and any(run.id not in self._past for run in over):
            self._past = {run.id: self._past.get(run.id, Pulse()) for run in over}
            self._feel(self._pulses, over)

    def _arrange(self, count: int) -> None:
        """The list has the lines that it needs; the rest is for what is below it."""
        height = max(2, min(count + 1, self.size.height - 3 - BELOW - self.has_class("empty")))
        if self._table.styles.height is None or self._table.styles.height.value != height:
            self._table.styles.height = height

    # The row under the cursor

    def on_table_moved(self, _: Table.Moved) -> None:
        self._tell()

    @property
    def _run(self) -> Summary | None:
        """That the cursor is on."""
        identity = run_of(self._table.key)
        return next((run for run in self.dlkit.summaries if run.id == identity), None) if identity else None

    def _tell(self) -> None:
        key, run = self._table.key, self._run
        if key in self._faults:
            text = detail.of_fault(self._faults[key])
        elif run is not None:
            text = detail.of_run(run, self._pulse(run), self._waits.get(run.id, ""))
        elif key in self._entries:
            text = detail.of_task(self._entries[key])
        else:
            return
        self._table.say_enter("Open" if run else "Why" if key in self._faults else "Start here")
        shown = run or self._example(key)
        self.query_one(NewestSample).show_newest(shown, self._pulse(shown).sample if shown else "", self.workspace)
        place = self.query_one("#detail", Static)
        width = max(20, place.size.width - 4)
        text = hanging(text, width, self.app.console)
        if shown is not None:
            room = place.size.height - len(text.split("\n", allow_blank=True))
            text.append_text(Text("\n")).append_text(detail.course(shown, self._pulse(shown), width, min(12, room - 1)))
        if key in self._entries:
            room = place.size.height - len(text.split("\n", allow_blank=True)) - 2
            if more := detail.offers(self._parts(key), width, room):
                text.append_text(Text("\n\n")).append_text(more)
        place.update(text, layout=False)

    def _parts(self, key: str) -> Mapping[str, Sequence[Spec]]:
        """What a task's row can be trained with, where there is room to say it."""
        catalog, task = self.dlkit.catalog, task_of(key)
        return {part: catalog.specs(part, task) for part in _PARTS} if catalog is not None else {}

    def _example(self, key: str) -> Summary | None:
        """The run that tells most of a task's row: its newest."""
        entry = self._entries.get(key)
        return entry.last if entry is not None else None

    def _pulse(self, run: Summary) -> Pulse:
        return self.dlkit.pulses.get(run.id) or self._past.get(run.id) or Pulse()

    def on_resize(self) -> None:
        self._show()

    def on_detail_resized(self, _: Detail.Resized) -> None:
        self._tell()

    def applies(self, action: str) -> bool:
        return action not in ("fetch", "last", "best") or self._table.key in self._entries

    def on_table_chosen(self, _: Table.Chosen) -> None:
        self.action_open()

    def action_open(self) -> None:
        """The run, the launch form of the task, or what is wrong."""
        key = self._table.key
        if key in self._faults:
            from dlkit.tui.shared.dialogs import TextDialog

            fault = self._faults[key]
            title = f"{fault.plugin.name} {detail.became(fault)}"
            self.app.push_screen(TextDialog(title, f"{fault.reason}\n\n{fault.traceback}"))
        elif run_of(key):
            self._open(run_of(key))
        elif task_of(key):
            self.dlkit.open_launch(task_of(key))

    def action_fetch(self) -> None:
        """Download what the task's data sets lack; where that is nothing, say how the rest is fetched by hand."""
        entry, catalog = self._entries.get(self._table.key), self.dlkit.catalog
        if entry is None or catalog is None:
            return
        from dlkit.tui.shared.choose import ChooseDialog

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

    def action_machine(self) -> None:
        self.dlkit.open_machine()

    def action_last(self) -> None:
        self._open_of_task("last")

    def action_best(self) -> None:
        self._open_of_task("best")

    def _open_of_task(self, which: str) -> None:
        entry = self._entries.get(self._table.key)
        run: Summary | None = getattr(entry, which, None)
        if run is not None:
            self._open(run.id)
        elif entry is not None:
            self.notify("this task has no run yet: Enter starts one")

    def _open(self, identity: str) -> None:
        self.dlkit.open_run(folder_of(self.workspace, identity))


def _key(fault: Fault) -> str:
    """Of its row; a plugin may lose several components of one name, each for another task."""
    return " ".join(filter(None, ("plugin", fault.plugin.name, fault.what, fault.reason if fault.what else "")))
