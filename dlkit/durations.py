"""Durations and moments as people write them."""

from __future__ import annotations

import re
import time

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0}
_PART = r"(?a:\s*(\d+(?:\.\d+)?)\s*(d|h|min|m|s))"
_CLOCK = r"(?a:(\d{1,2}):(\d\d))"
DAY = 86400.0
MOMENTS = "18:30 (the next one), 2026-12-02T06:00, or +2h from now"
FORMS = "seconds, or as 90s, 9m, 1h30m, 2d"


def seconds(text: str) -> float:
    """``90``, ``9m``, ``1h30m``, ``1.5 h`` → seconds; ValueError names the forms."""
    try:
        return float(text)
    except ValueError:
        pass
    total, at, word = 0.0, 0, text.strip()
    while match := re.match(_PART, word[at:]):
        total, at = total + float(match[1]) * _UNITS[match[2]], at + match.end()
    if not at or at < len(word):
        raise ValueError(f"{text!r} is not a duration: {FORMS}")
    return total


def at(text: str, now: float) -> float:
    """``18:30``, ``2026-12-02T06:00``, ``+2h`` → UTC seconds, by this machine's clock where no zone is given.

    ValueError names the forms, or says that it is past.
    """
    word = text.strip()
    try:
        found = now + seconds(word[1:]) if word.startswith("+") else _moment(word, now)
        if not found < now + 366 * 100 * DAY:
            raise OverflowError
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a time: {MOMENTS}") from error
    if found < now:
        raise ValueError(f"{text!r} is past: give a time to come, {MOMENTS}")
    return found


def _moment(word: str, now: float) -> float:
    if clock := re.fullmatch(_CLOCK, word):
        hour, minute = int(clock[1]), int(clock[2])
        today = time.localtime(now)
        # As a calendar counts: where clocks are changed in the night between, a day has 23 or 25 hours.
        days = ((*today[:2], today[2] + days, hour, minute, 0, 0, 0, -1) for days in (0, 1))
        if hour > 23 or minute > 59:
            raise ValueError(word)
        return next(moment for moment in map(time.mktime, days) if moment > now)
    from datetime import datetime

    return datetime.fromisoformat(word).timestamp()


def moment(at: float, now: float) -> str:
    """``18:30``, of another day ``2026-12-02 06:00``."""
    there, here = time.localtime(at), time.localtime(now)
    return time.strftime("%H:%M" if there[:3] == here[:3] else "%Y-%m-%d %H:%M", there)
