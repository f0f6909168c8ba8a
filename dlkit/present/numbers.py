"""Numbers for people: metrics, counts, sizes, durations, ages."""

from __future__ import annotations

import math
import time

_UNITS = (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86400), ("d", 86400, 7 * 86400))
"""Units of an age: name, seconds, and the age from which the next unit is used."""


def number(value: float | None) -> str:
    """A metric: four significant digits."""
    return "" if value is None else f"{value:.4g}"


def grouped(value: int) -> str:
    """A large count with its thousands apart: ``1 234 567``."""
    return f"{value:,}".replace(",", " ")


def counted(count: int, noun: str, several: str = "") -> str:
    """``1 run``, ``5 runs``; ``several`` where it is not made by an s: ``2 studies``."""
    return f"{count} {noun if count == 1 else several or f'{noun}s'}"


def size(count: float) -> str:
    """Bytes: ``11.5 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def duration(seconds: float) -> str:
    """``4 s``, ``2:05``, ``1:02:05``."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ago(moment: float, now: float | None = None) -> str:
    """``12 s ago``, ``3 h ago``, else the day."""
    if moment <= 0:
        return ""
    past = max(0.0, (time.time() if now is None else now) - moment)
    for unit, seconds, limit in _UNITS:
        if past < limit:
            return f"{int(past / seconds)} {unit} ago"
    return when(moment, "%Y-%m-%d")


def when(moment: object, form: str) -> str:
    """A moment's local time in ``strftime``'s form; empty for what no calendar has, as a file from anywhere may say."""
    try:
        return time.strftime(form, time.localtime(moment)) if isinstance(moment, (int, float)) else ""
    except (OverflowError, OSError, ValueError):
        return ""


def ago_holds_until(moment: float, now: float) -> float:
    """When ``ago`` will next say something else of a moment than it says now."""
    past = max(0.0, now - moment)
    seconds = next((seconds for _, seconds, limit in _UNITS if past < limit), None)
    return math.inf if moment <= 0 or seconds is None else now + seconds - past % seconds
