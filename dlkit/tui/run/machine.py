"""What a run's processes use of the machine, over the last ten minutes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from dlkit.events import Machine
from dlkit.monitor.machine_words import in_words
from dlkit.monitor.view import RunView
from dlkit.present.events import machine_use
from dlkit.present.numbers import ago, size
from dlkit.present.sparkline import bars
from dlkit.tui.run.head import LIVE
from dlkit.tui.run.pane import Pane

SECONDS = 600.0
_EMPTY = "No figures yet: they are sampled once a second while a job runs."
_NONE = "No figures: they are sampled of jobs that run in processes of their own, not of what a terminal trains itself."


class Figure(NamedTuple):
    """One chart: ``value`` of a sample (None: not known), ``top`` of the scale (0: the highest value), and its unit."""

    title: str
    value: Callable[[Machine], float | None]
    words: Callable[[float], str]
    top: float = 0.0


class MachinePane(Pane):
    """A chart for each figure, the present value beside it."""

    DEFAULT_CSS = (
        "MachinePane VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; } MachinePane Static { height: auto; }"
    )

    def __init__(self) -> None:
        super().__init__()
        self._shown: Sequence[Machine] | None = None
        self._live = False

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(_EMPTY, id="figures")

    def show(self, view: RunView) -> None:
        live = view.state in LIVE
        if view.machine is not self._shown or live != self._live:
            self._shown, self._live = view.machine, live
            self._draw()
        if not view.machine:
            self.query_one("#figures", Static).update(_NONE if view.finished else _EMPTY)

    def on_resize(self) -> None:
        self.shield(self._draw)

    def _draw(self) -> None:
        if self._shown:
            width = max(20, self.size.width - 4)
            each = (self.size.height - 2) // len(figures(self._shown[-1])) - 2  # a blank line and one of words
            self.query_one("#figures", Static).update(
                picture(self._shown, width, max(2, min(8, each)), live=self._live)
            )


def picture(samples: Sequence[Machine], width: int, height: int, *, live: bool) -> Text:
    """All charts, ``width`` cells wide, ``height`` lines each. Of a job that is not ``live`` nothing is now."""
    newest, moment = samples[-1], "now" if live else "at the end"
    text = Text().append(f"{machine_use(newest)}, {ago(newest.time)}\n")
    if words := in_words(samples, os.cpu_count() or 1):
        text.append(f"{words}\n", "bold yellow")
    span = min(SECONDS, max(60.0, newest.time - samples[0].time))
    for figure in figures(newest):
        known = [v for v in (figure.value(sample) for sample in samples) if v is not None]
        if not known:
            continue
        top = figure.top if 0 < max(known) <= figure.top else rounded_up(max(known))
        now = figure.value(newest)
        present = figure.words(now) if now is not None else "not known"
        text.append(f"\n{figure.title}  ", style="bold")
        text.append(f"{present} {moment}, highest {figure.words(max(known))}, scale 0 to {figure.words(top)}\n")
        columns = per_column(samples, figure.value, width, span)
        for line in bars(columns, 0.0, top, height):
            text.append(f"{line}\n", style="cyan")
    text.append(f"{'−' + _minutes(span):<{width - len(moment)}}{moment}", style="dim")
    return text


def figures(newest: Machine) -> list[Figure]:
    """Those of the processes, then those of each device."""
    found = [
        Figure("CPU", lambda m: m.cpu, lambda v: f"{v:.0f} % of a core", 100.0),
        Figure("Memory", lambda m: float(m.memory), size),
    ]
    for gpu in newest.gpus:
        index, name, total = gpu.get("index", 0), gpu.get("name") or "", gpu.get("total")
        found.append(Figure(f"GPU {index} {name}".rstrip(), _of_gpu(index, "use"), lambda v: f"{v:.0f} %", 100.0))
        top = float(total) if isinstance(total, (int, float)) else 0.0
        found.append(Figure(f"GPU {index} memory", _of_gpu(index, "memory"), size, top))
    return found


def _of_gpu(index: object, key: str) -> Callable[[Machine], float | None]:
    def value(sample: Machine) -> float | None:
        found = next((gpu.get(key) for gpu in sample.gpus if gpu.get("index", 0) == index), None)
        return float(found) if isinstance(found, (int, float)) else None

    return value


def per_column(
    samples: Sequence[Machine], value: Callable[[Machine], float | None], width: int, span: float
) -> list[float | None]:
    """The highest value in each of ``width`` equal parts of the last ``span`` seconds; between two samples the earlier
    one's holds for up to three seconds, or a part."""
    end, each = samples[-1].time, span / width
    columns: list[float | None] = [None] * width
    for sample in samples:
        found = value(sample)
        place = width - 1 - int((end - sample.time) / each)
        if found is not None and 0 <= place < width:
            before = columns[place]
            columns[place] = found if before is None else max(before, found)
    reach = math.ceil(3.0 / each)
    for place in range(width - 1, 0, -1):
        if columns[place] is None:
            near = (columns[i] for i in range(place - 1, max(-1, place - 1 - reach), -1))
            columns[place] = next((found for found in near if found is not None), None)
    return columns


def rounded_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20 …; 1 for nothing."""
    if not 0 < value < math.inf:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1.0, 2.0, 5.0, 10.0) if value <= power * step * (1 + 1e-9))


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"
