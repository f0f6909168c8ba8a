"""Text without what would steer a terminal; for whoever writes to one, whichever room that is in."""

from __future__ import annotations

import re

STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and newline, other ends of lines, halves of surrogate pairs, and what turns the direction
of writing. The marks beside letters (joiners, U+200E, U+200F) stay: Persian and Hebrew are written with them."""


def without_steering(text: str) -> str:
    """What could steer the terminal is shown as ``�``; tabs and newlines stay."""
    return STEERING.sub("�", text)


def one_line(text: str) -> str:
    """A name, a label, a table's cell: clean, and no more than one line."""
    return without_steering(text).expandtabs(4).replace("\n", " ")
