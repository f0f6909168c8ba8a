"""What lists say of runs, in as few cells as can be."""

from __future__ import annotations

import math
import re
import time

from rich.console import Console
from rich.text import Text

from dlkit.cli.common import duration, number
from dlkit.runs.folder import Summary

_STYLES = {
    "running": "green",
    "paused": "yellow",
    "queued": "cyan",
    "completed": "",
    "stopped": "dim",
    "failed": "bold red",
    "interrupted": "bold yellow",
    "damaged": "bold red",
}
_LABEL = re.compile(r"\S.{0,40}?\s{2,}")
_UNITS = (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86400), ("d", 86400, 7 * 86400))


def counted(count: int, noun: str) -> str:
    """``1 run``, ``5 runs``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def state_cell(state: str) -> tuple[str, str]:
    """The state's own word; the colour only repeats it."""
    word = "unknown" if state.startswith("unknown") else state
    return word, _STYLES.get(state, "dim")


def steps(run: Summary) -> str:
    """``120/900``, or ``900`` at the end; in at most eleven cells up to a million steps: ``92079/900k``."""
    if run.total_steps and run.step != run.total_steps:
        step, total = str(run.step), str(run.total_steps)
        if len(step) + len(total) > 10 and run.total_steps >= 10_000:
            total = f"{run.total_steps // 1000}k"
        return f"{step}/{total}"
    return str(run.step) if run.step else ""


def ago(moment: float, now: float | None = None) -> str:
    """``12 s ago``, ``3 h ago``, else the day."""
    if moment <= 0:
        return ""
    past = max(0.0, (time.time() if now is None else now) - moment)
    for unit, seconds, limit in _UNITS:
        if past < limit:
            return f"{int(past / seconds)} {unit} ago"
    return time.strftime("%Y-%m-%d", time.localtime(moment))


def ago_holds(moment: float, now: float) -> float:
    """Until when ``ago`` says of a moment what it says now."""
    past = max(0.0, now - moment)
    seconds = next((seconds for _, seconds, limit in _UNITS if past < limit), None)
    return math.inf if moment <= 0 or seconds is None else now + seconds - past % seconds


def hanging(text: Text, width: int, console: Console) -> Text:
    """Lines broken to ``width`` cells; what goes on below a line stands under its value, not under its label (what
    comes before two blanks)."""
    lines: list[Text] = []
    for line in text.split("\n", allow_blank=True):
        label = _LABEL.match(line.plain)
        indent = label.end() if label and label.end() < width // 2 else 0
        pieces = line[indent:].wrap(console, max(1, width - indent)) or [Text()]
        for i, piece in enumerate(pieces):
            piece.rstrip()
            lines.append((Text(" " * indent) if i else line[:indent]).append_text(piece))
    return Text("\n").join(lines)


def best(run: Summary) -> str:
    """The primary metric's best value with its short name: ``accuracy 0.982``."""
    return f"{run.metric.rpartition('/')[2]} {number(run.best)}" if run.best is not None else ""


def spent(run: Summary) -> str:
    """How long it has run."""
    return duration(run.seconds) if run.seconds else ""
