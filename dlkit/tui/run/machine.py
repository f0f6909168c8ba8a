"""What a run's processes use of the machine, over the last ten minutes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from dlkit.errors import DlkitError
from dlkit.events import Machine, Spent
from dlkit.monitor.machine_words import in_words
from dlkit.monitor.view import RunView
from dlkit.present.events import machine_use
from dlkit.present.numbers import ago, duration, size
from dlkit.present.profile import head, operators
from dlkit.present.spending import share_words, shares, widths
from dlkit.runs import opening
from dlkit.runs.profile import NAME, Profile, read_profile
from dlkit.tui.run.head import LIVE
from dlkit.tui.run.pane import Pane
from dlkit.tui.shared.figures import Figure, axis, chart

_EMPTY = "No figures yet: they are sampled once a second while a job runs."
_NONE = "No figures: they are sampled of jobs that run in processes of their own, not of what a terminal trains itself."


OPERATORS = 20
"""Operators of a profile that are shown here: the others take next to nothing, and dlkit show --profile has them."""
_COLOURS = ("green", "yellow", "cyan", "magenta", "blue")


class MachinePane(Pane):
    """A chart for each figure, the present value beside it."""

    DEFAULT_CSS = (
        "MachinePane VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; } MachinePane Static { height: auto; }"
    )

    def __init__(self) -> None:
        super().__init__()
        self._shown: Sequence[Machine] | None = None
        self._spent: Spent | None = None
        self._live = False
        self._profile: Profile | None = None
        self._looked_at: tuple[int, int] | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(id="spent")
            yield Static(_EMPTY, id="figures")
            yield Static(id="profile")

    def show(self, view: RunView) -> None:
        live = view.state in LIVE
        if view.machine is not self._shown or live != self._live or view.spent is not self._spent:
            self._shown, self._live, self._spent = view.machine, live, view.spent
            self._draw()
        if self._read_profile(view):
            self._draw()
        if not view.machine:
            self.query_one("#figures", Static).update(_NONE if view.finished else _EMPTY)

    def _read_profile(self, view: RunView) -> bool:
        """Whether there is another one than before; it is written once, in the midst of the run."""
        there = opening.status(view.run.path, NAME)
        seen = None if there is None else (there.st_mtime_ns, there.st_size)
        if seen == self._looked_at:
            return False
        self._looked_at = seen
        try:
            self._profile = read_profile(view.run)
        except (DlkitError, OSError, ValueError):  # damaged: ``dlkit show --profile`` names what is wrong with it
            self._profile = None
        return True

    def on_resize(self) -> None:
        self.shield(self._draw)

    def _draw(self) -> None:
        width = max(20, self.size.width - 4)
        if self._spent is not None:
            self.query_one("#spent", Static).update(bar_of(self._spent, width))
        profile = self._profile
        table = f"\n{head(profile)}\n\n{operators(profile, width, OPERATORS)}\n" if profile else ""
        self.query_one("#profile", Static).update(Text(table))
        if self._shown:
            above = 6 if self._spent else 2
            each = (self.size.height - above) // len(figures(self._shown[-1])) - 2  # a blank line and one of words
            self.query_one("#figures", Static).update(
                picture(self._shown, width, max(2, min(8, each)), live=self._live)
            )


def bar_of(spent: Spent, width: int) -> Text:
    """Where the time has gone: a bar, and below it what its parts are."""
    found = shares(spent.seconds)
    text = Text("Time\n")
    for place, (share, cells) in enumerate(zip(found, widths(found, width), strict=True)):
        text.append(share.mark * cells, _COLOURS[place % len(_COLOURS)])
    text.append("\n" if found else "")
    used = 0
    for place, share in enumerate(found):
        words = f" {share_words(share)}"
        if used + 3 + len(words) > width:  # never within one: rich breaks at any blank
            text.append("\n")
            used = 0
        text.append("  " if used else "").append(share.mark, _COLOURS[place % len(_COLOURS)]).append(words)
        used += len(words) + (3 if used else 1)
    paused = spent.seconds.get("paused", 0.0)
    text.append(f"  paused for {duration(paused)} besides" if paused >= 1 else "")
    return text.append("\n")


def picture(samples: Sequence[Machine], width: int, height: int, *, live: bool) -> Text:
    """All charts, ``width`` cells wide, ``height`` lines each. Of a job that is not ``live`` nothing is now."""
    newest, moment = samples[-1], "now" if live else "at the end"
    text = Text().append(f"{machine_use(newest)}, {ago(newest.time)}\n")
    if words := in_words(samples, os.cpu_count() or 1):
        text.append(f"{words}\n", "bold yellow")
    for figure in figures(newest):
        text.append_text(chart(figure, samples, (width, height), moment))
    return text.append_text(axis(samples, width, moment))


def figures(newest: Machine) -> list[Figure[Machine]]:
    """Those of the processes, then those of each device."""
    found: list[Figure[Machine]] = [
        Figure("CPU", lambda m: m.cpu, lambda v: f"{v:.0f} % of a core", 100.0),
        Figure("Memory", lambda m: float(m.memory), size),
    ]
    for gpu in newest.gpus:
        index, name, total = gpu.get("index", 0), gpu.get("name") or "", gpu.get("total")
        found.append(Figure(f"GPU {index} {name}".rstrip(), _of_gpu(index, "use"), lambda v: f"{v:.0f} %", 100.0))
        top = float(total) if isinstance(total, (int, float)) else 0.0
        found.append(Figure(f"GPU {index} memory", _of_gpu(index, "memory"), size, top))
        if gpu.get("celsius") is not None:
            found.append(Figure(f"GPU {index} temperature", _of_gpu(index, "celsius"), _degrees, 100.0))
    return found


def _degrees(value: float) -> str:
    return f"{value:.0f} °C"


def _of_gpu(index: object, key: str) -> Callable[[Machine], float | None]:
    def value(sample: Machine) -> float | None:
        found = next((gpu.get(key) for gpu in sample.gpus if gpu.get("index", 0) == index), None)
        return float(found) if isinstance(found, (int, float)) else None

    return value
