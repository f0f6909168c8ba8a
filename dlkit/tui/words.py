"""What lists say of runs, in as few cells as can be."""

from __future__ import annotations

import math
import time

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
_UNITS = (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86400), ("d", 86400, 7 * 86400))


def counted(count: int, noun: str) -> str:
    """``1 run``, ``5 runs``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def state_cell(state: str) -> tuple[str, str]:
    """The state's own word; the colour only repeats it."""
    word = "unknown" if state.startswith("unknown") else state
    return word, _STYLES.get(state, "dim")


def steps(run: Summary) -> str:
    """``120/900``, or ``900`` at the end."""
    if run.total_steps and run.step != run.total_steps:
        return f"{run.step}/{run.total_steps}"
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


def best(run: Summary) -> str:
    """The primary metric's best value with its short name: ``accuracy 0.982``."""
    return f"{run.metric.rpartition('/')[2]} {number(run.best)}" if run.best is not None else ""


def spent(run: Summary) -> str:
    """How long it has run."""
    return duration(run.seconds) if run.seconds else ""
