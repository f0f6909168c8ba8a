"""Queue and devices: what runs and what waits, and why; who uses which device."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from dlkit.errors import DlkitError
from dlkit.jobs.queue import Entry, listing, reprioritise, scheduler, wake
from dlkit.jobs.queue_state import QueueState
from dlkit.jobs.releasing import give_back, is_held, put_back
from dlkit.jobs.requests import PATIENCE
from dlkit.jobs.shares import cpu_slots, set_cpu_slots
from dlkit.monitor import run_actions
from dlkit.monitor.devices import DeviceUse
from dlkit.present.numbers import ago, size
from dlkit.present.runs import undated
from dlkit.runs.folder import RunFolder
from dlkit.steering import one_line
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.dialogs import Ask, Confirm
from dlkit.tui.shared.table import Column, Row, Table
from dlkit.tui.shared.words import state_cell

COLUMNS = (
    Column("state", "state", 9),
    Column("run", "run", 30, rank=0),
    Column("priority", "prio", 6, right=True, rank=2),
    Column("since", "since", 10, right=True, rank=3),
    Column("why", "why", 0, rank=1),
)
_EMPTY = "nothing runs or waits: press 1 and start or queue a task"


class QueueScreen(Area):
    """Devices above, jobs below, in the order in which they will start."""

    area = "queue"
    DEFAULT_CSS = """
    QueueScreen #devices { height: auto; max-height: 10; padding: 0 2; background: $surface; }
    QueueScreen #detail { height: 3; padding: 0 2; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "stop", "Cancel or stop", id="queue.stop", tooltip="A waiting job leaves, a running one stops"),
        Binding("plus,equals_sign", "priority(1)", "Sooner", key_display="+", id="queue.sooner"),
        Binding("minus", "priority(-1)", "Later", key_display="-", id="queue.later"),
        Binding("u", "urgent", "Urgent", id="queue.urgent", tooltip="At once: the least important job gives way to it"),
        Binding("p", "release", "Pause", id="queue.pause", tooltip="Gives its device back; again: goes on"),
        Binding("c", "slots", "CPU slots", id="queue.slots", tooltip="How many jobs may share the CPU"),
        Binding(
            "m", "machine", "Machine", id="queue.machine", tooltip="Cores, memory, disk, GPUs over the last minutes"
        ),
        Binding("w", "wake", "Start scheduler", show=False, id="queue.wake"),
    ]

    class Looked(Message):
        """What runs and waits, and who starts it."""

        def __init__(self, entries: Sequence[Entry], process: int | None, slots: int) -> None:
            self.entries, self.process, self.slots = entries, process, slots
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, QueueScreen.Looked)

    class Measured(Message):
        def __init__(self, devices: Sequence[DeviceUse]) -> None:
            self.devices = devices
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, QueueScreen.Measured)

    class Done(Message):
        def __init__(self, text: str, *, bad: bool = False) -> None:
            self.text, self.bad = text, bad
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, Entry] = {}
        self._slots = 1
        self._doing = threading.Lock()

    def body(self) -> ComposeResult:
        yield Static("looking at the devices …", id="devices", markup=False)
        yield Table(COLUMNS, empty="looking …", enter="Open", id="jobs")
        yield Static("", id="detail", markup=False)

    def on_mount(self) -> None:
        self._table.focus()

    def on_screen_resume(self) -> None:
        queue = QueueState(self.workspace)
        watch = self.dlkit.poller.watch
        self.while_shown(
            watch(partial(self._look, queue), lambda found: self.Looked(*found), self),
            watch(self.dlkit.devices.poll, self.Measured, self),
        )

    def _look(self, queue: QueueState) -> tuple[list[Entry], int | None, int]:
        """In the poller's thread."""
        return listing(self.workspace, queue), scheduler(self.workspace), cpu_slots(self.workspace)

    @property
    def _table(self) -> Table:
        return self.query_one(Table)

    # What there is

    def on_queue_screen_looked(self, message: Looked) -> None:
        self._entries, self._slots = {entry.id: entry for entry in message.entries}, message.slots
        self._table.empty = _EMPTY
        if bool(message.entries) != bool(self._table.rows):
            self.refresh_bindings()
        self._table.show([_row(entry) for entry in message.entries])
        waiting = sum(entry.state == "queued" for entry in message.entries)
        who = f"scheduler {message.process}" if message.process else "no scheduler" if waiting else ""
        slots = f"{message.slots} CPU slot{'s' * (message.slots != 1)}"
        self.say_where("  ".join(filter(None, [f"{waiting} waiting", slots, who])))
        self._tell()

    def on_queue_screen_measured(self, message: Measured) -> None:
        width = max(10, min(60, self.size.width - 70))
        self.query_one("#devices", Static).update(
            Text("\n").join(_device(device, width, self._called) for device in message.devices)
        )

    def on_table_moved(self) -> None:
        self._tell()

    def _tell(self) -> None:
        entry = self._entries.get(self._table.key)
        text = Text()
        if entry is not None:
            head = one_line(f"{entry.id}  {entry.name}").rstrip()
            text = Text.assemble((head, "bold"), f"\n{one_line(f'{entry.state}: {entry.why}')}")
            unsaid = [name for name in map(self._called, entry.after) if name not in entry.why]
            if unsaid:
                text.append(f"\nafter {', '.join(unsaid)}")
        self.query_one("#detail", Static).update(text, layout=False)

    def _called(self, identity: str) -> str:
        """As reasons name a run, or nearly: by its name, if it has one."""
        return next((run.name or run.id for run in self.dlkit.summaries if run.id == identity), identity)

    # What can be done

    def applies(self, action: str) -> bool:
        needs_a_job = action in ("choose", "stop", "urgent", "release") or action.startswith("priority")
        return bool(self._entries) or not needs_a_job

    @property
    def _run(self) -> RunFolder | None:
        return RunFolder(self.workspace / "runs" / self._table.key) if self._table.key else None

    def on_table_chosen(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        if self._run is not None:
            self.dlkit.open_run(self._run)

    def action_stop(self) -> None:
        run = self._run
        if run is None:
            return
        waits = self._entries[run.id].state in ("queued", "foreign")
        who = self._called(run.id)
        question = f"Take {who} out of the queue?" if waits else f"Stop {who}? A checkpoint is written first."
        dialog = Confirm(question, yes="Cancel the job" if waits else "Stop", no="Keep it")

        def answered(yes: bool | None) -> None:
            if yes:
                self._do(partial(run_actions.stop, run))

        self.app.push_screen(dialog, answered)

    def action_priority(self, by: int) -> None:
        run = self._run
        if run is not None:
            self._do(lambda: f"{run.id}: priority {reprioritise(run, by)}")

    def action_urgent(self) -> None:
        """Or no longer."""
        run = self._run
        if run is not None:
            self._do(partial(_change_urgency, self.workspace, run, not self._entries[run.id].urgent))

    def action_release(self) -> None:
        run = self._run
        if run is not None:
            self._do(partial(_release, run))

    def action_slots(self) -> None:
        def take(text: str | None) -> None:
            if text is not None:
                self._do(partial(self._set_slots, text))

        self.app.push_screen(Ask("How many jobs may share this machine's CPU?", str(self._slots)), take)

    def _set_slots(self, text: str) -> str:
        if not text.strip().isdigit():
            raise ValueError(f"CPU slots {text!r}: must be a whole number, at least 1")
        set_cpu_slots(self.workspace, int(text))
        wake(self.workspace)
        return f"{text.strip()} CPU slots from now on"

    def action_machine(self) -> None:
        self.dlkit.open_machine()

    def action_wake(self) -> None:
        self._do(lambda: "scheduler started" if wake(self.workspace) else "nothing that a scheduler could start")

    @work(thread=True, group="queue", exit_on_error=False)
    def _do(self, action: Callable[[], str]) -> None:
        try:
            with self._doing:  # of two steps of a priority at once, one would be lost
                self.post_message(self.Done(action()))
        except (DlkitError, OSError, ValueError) as error:
            self.post_message(self.Done(str(error), bad=True))

    def on_queue_screen_done(self, message: Done) -> None:
        self.notify(message.text, severity="error" if message.bad else "information", markup=False)
        self.dlkit.poller.nudge()


def _change_urgency(workspace: Path, run: RunFolder, urgent: bool) -> str:
    priority = reprioritise(run, urgent=urgent)
    wake(workspace)
    return f"{run.id}: {'urgent' if urgent else f'priority {priority}'}"


def _release(run: RunFolder) -> str:
    if is_held(run):
        put_back(run)
        return f"{run.id}: goes on when a device is free"
    give_back(run, timeout=PATIENCE)
    return f"{run.id}: waits, its device given back"


def _row(entry: Entry) -> Row:
    cells = {
        "state": state_cell(entry.state),
        "run": entry.name or undated(entry.id),
        "priority": entry.importance,
        "since": ago(entry.since),
        "why": entry.why,
    }
    return Row(entry.id, cells)  # type: ignore[arg-type]


def _device(device: DeviceUse, width: int, called: Callable[[str], str]) -> Text:
    """Two lines: name, its last minutes, use, memory; and who has it."""
    use = "  –" if device.use is None else f"{device.use:3.0f}"
    text = Text.assemble((f"{device.name[:22]:22} ", "bold"), (bars(device.history[-width:], width), "green"))
    text.append(f" {use} %  memory {size(device.memory)} of {size(device.total)}")
    if device.celsius is not None:
        text.append(f", {device.celsius:.0f} °C")
    if 1 < len(device.cores) <= width:
        text.append("\n  each core now  ", "dim").append(bars(device.cores, len(device.cores)), "green")
    runs = ", ".join(called(claim.run) for claim in device.claims)
    text.append(f"\n  {f'used by {runs}' if runs else 'free'}", "dim")
    return text


def bars(values: Sequence[float], width: int) -> str:
    """Percentages as blocks of height, right-aligned: 0 is the lowest, 100 the full one."""
    return "".join(" ▁▂▃▄▅▆▇█"[min(8, round(max(0.0, value) / 100 * 8))] for value in values).rjust(width)
