"""Durations as people write them."""

from __future__ import annotations

import re

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0}
_PART = r"(?a:\s*(\d+(?:\.\d+)?)\s*(d|h|min|m|s))"
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
