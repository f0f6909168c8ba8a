"""The machine in one line: processor, memory, disk, each GPU, and how many jobs have it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.message import Message
from textual.widgets import Static

from dlkit.monitor.devices import DeviceUse
from dlkit.present.numbers import size
from dlkit.present.sparkline import bars
from dlkit.tui.shared.host import Host
from dlkit.tui.shared.poll import Source

SPARK = 10


class MachineLine(Static):
    """Brought up to date once a second, as long as it is watched."""

    DEFAULT_CSS = (
        "MachineLine { height: 1; padding: 0 2; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }"
    )

    class Measured(Message):
        def __init__(self, devices: Sequence[DeviceUse]) -> None:
            self.devices = devices
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, MachineLine.Measured)

    def follow(self, host: Host) -> Source[list[DeviceUse]]:
        return host.poller.watch(host.devices.poll, self.Measured, self)

    def on_machine_line_measured(self, message: Measured) -> None:
        self.update(line(message.devices), layout=False)


def line(devices: Sequence[DeviceUse]) -> Text:
    return Text("   ").join(map(_device, devices))


def _device(device: DeviceUse) -> Text:
    text = Text.assemble((f"{device.name} ", "bold"))
    (blocks,) = bars(device.history[-SPARK:], 0.0, 100.0, 1)
    use = "use not told" if device.use is None else f"{device.use:.0f} %"
    text.append(f"{blocks:>{SPARK}}", "green").append(f" {use}, memory {size(device.memory)} of {size(device.total)}")
    jobs = len(device.claims)
    return text.append(f", {jobs} job{'s' * (jobs != 1)}" if jobs else ", free")
