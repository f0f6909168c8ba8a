"""The machine over the last minutes: each core, memory, disk, each GPU; what of it is conspicuous, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from dlkit.monitor.devices import DeviceUse, Disk, HostSample, disk_of
from dlkit.monitor.machine_words import host_in_words
from dlkit.present.numbers import size
from dlkit.present.sparkline import bars
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.figures import Figure, axis, chart, per_column, span_of

NOW = "now"
_CORE = 24
"""Cells of a core's line at least, its words left out."""


class MachineScreen(Area):
    """Measured once a second while this, the home or the queue is shown."""

    area = "queue"
    DEFAULT_CSS = """
    MachineScreen VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; }
    MachineScreen Static { height: auto; }
    """

    class Measured(Message):
        def __init__(self, devices: Sequence[DeviceUse], disk: Disk | None) -> None:
            self.devices, self.disk = devices, disk
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, MachineScreen.Measured)

    def __init__(self) -> None:
        super().__init__("this machine")
        self._seen: MachineScreen.Measured | None = None

    def body(self) -> ComposeResult:
        with VerticalScroll():
            yield Static("measuring …", id="figures", markup=False)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def on_screen_resume(self) -> None:
        self.while_shown(self.dlkit.poller.watch(self._look, lambda found: self.Measured(*found), self))

    def _look(self) -> tuple[Sequence[DeviceUse], Disk | None] | None:
        """In the poller's thread."""
        found = self.dlkit.devices.poll()
        return None if found is None else (found, disk_of(self.workspace))

    def on_machine_screen_measured(self, message: Measured) -> None:
        self._seen = message
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        samples = self.dlkit.devices.samples
        if self._seen is not None and samples:
            width, lines = max(30, self.size.width - 4), self.size.height - 2
            text = picture(samples, self._seen.devices, self._seen.disk, (width, lines), self._called)
            self.query_one("#figures", Static).update(text)

    def _called(self, identity: str) -> str:
        return next((run.name or run.id for run in self.dlkit.summaries if run.id == identity), identity)


def picture(
    samples: Sequence[HostSample],
    devices: Sequence[DeviceUse],
    disk: Disk | None,
    room: tuple[int, int],
    called: Callable[[str], str],
) -> Text:
    """All of it, ``room`` in cells and lines: charts are as high as that allows, two lines at least."""
    width, lines = room
    text = Text()
    for device in devices:
        text.append(f"{device.name}: {users(device, called)}\n")
    for said in host_in_words(samples, devices, disk):
        text.append(f"{said}\n", "bold yellow")
    there, cores = figures(devices, samples[-1]), cores_told(samples, width)
    fixed = len(text.plain.splitlines()) + len(cores.plain.splitlines()) + 2 + bool(disk)
    height = max(2, min(6, (lines - fixed) // max(1, len(there)) - 2))  # a blank line and one of words
    for place, figure in enumerate(there):
        text.append_text(chart(figure, samples, (width, height), NOW))
        if place == 0:
            text.append_text(cores)
    if disk is not None:
        text.append(f"\nDisk of the workspace: {size(disk.free)} of {size(disk.total)} free\n")
    return text.append_text(axis(samples, width, NOW))


def users(device: DeviceUse, called: Callable[[str], str]) -> str:
    """``used by baseline, 61 °C``."""
    runs = ", ".join(called(claim.run) for claim in device.claims)
    told = [f"used by {runs}" if runs else "free"]
    if device.celsius is not None:
        told.append(f"{device.celsius:.0f} °C")
    return ", ".join(told)


def figures(devices: Sequence[DeviceUse], newest: HostSample) -> list[Figure[HostSample]]:
    """Those of the host, then those of each GPU; what nothing tells of is left out."""
    found: list[Figure[HostSample]] = [
        Figure("CPU", lambda m: sum(m.cores) / len(m.cores) if m.cores else None, _percent, 100.0),
        Figure("Memory", lambda m: float(m.memory), size, float(devices[0].total)),
    ]
    if newest.read is not None:
        found.append(Figure("Disks read", lambda m: m.read, _a_second))
        found.append(Figure("Disks write", lambda m: m.written, _a_second))
    if newest.celsius is not None:
        found.append(Figure("CPU temperature", lambda m: m.celsius, _degrees, 100.0))
    for device in devices[1:]:
        found += _of_gpu(device, newest)
    return found


def _of_gpu(device: DeviceUse, newest: HostSample) -> list[Figure[HostSample]]:
    def value(name: str, sample: HostSample) -> float | None:
        gpu = sample.gpus.get(device.key)
        return getattr(gpu, name) if gpu is not None else None

    now = newest.gpus.get(device.key)
    short = device.name.partition(" ")[0]
    found = [
        Figure(device.name, partial(value, "use"), _percent, 100.0),
        Figure(f"{short} memory", partial(value, "memory"), size, float(device.total)),
    ]
    if now is not None and now.celsius is not None:
        found.append(Figure(f"{short} temperature", partial(value, "celsius"), _degrees, 100.0))
    if now is not None and now.watts is not None:
        found.append(Figure(f"{short} power", partial(value, "watts"), lambda v: f"{v:.0f} W"))
    return found


def cores_told(samples: Sequence[HostSample], width: int) -> Text:
    """A line of blocks for each core, as many beside each other as there is room for."""
    count = len(samples[-1].cores)
    if count < 2:
        return Text()
    words = len(f"{count - 1}") + 8  # "7 ", "  100 %"
    beside = max(1, min(count, (width + 2) // (_CORE + words + 2)))
    cells = (width + 2) // beside - words - 2
    text = Text()
    for core in range(count):
        last = core % beside == beside - 1 or core == count - 1
        columns = per_column(samples, partial(_core, core), cells, span_of(samples))
        text.append(f"{core:>{len(str(count - 1))}} ", "dim").append(bars(columns, 0.0, 100.0, 1)[0], "green")
        text.append(f" {samples[-1].cores[core]:3.0f} %").append("\n" if last else "   ")
    return text


def _core(place: int, sample: HostSample) -> float | None:
    return sample.cores[place] if place < len(sample.cores) else None


def _percent(value: float) -> str:
    return f"{value:.0f} %"


def _degrees(value: float) -> str:
    return f"{value:.0f} °C"


def _a_second(value: float) -> str:
    return f"{size(value)}/s"
