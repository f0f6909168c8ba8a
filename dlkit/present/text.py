"""Text from data, models, logs and plugins, made fit to be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and newline, other ends of lines, halves of surrogate pairs, and what turns the direction
of writing. The marks beside letters (joiners, U+200E, U+200F) stay: Persian and Hebrew are written with them."""
_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
"""Whole escape sequences: colours and cursor movements, titles and links."""
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
"""What dlkit itself paints with; in a group, so that ``split`` keeps it."""


class Painted(str):
    """Text that may hold colours, and nothing else that steers: what is shown of it is not cleaned again.

    Whoever paints cleans the parts first. What was forgotten can then change a colour, but neither move the cursor nor
    talk to the terminal.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Painted:
        parts = _COLOUR.split(text)
        return super().__new__(cls, "".join(p if i % 2 else without_steering(p) for i, p in enumerate(parts)))

    @classmethod
    def joined(cls, between: str, parts: Iterable[str]) -> Painted:
        """Parts of which some are painted; the others are cleaned."""
        return cls(between.join(fit_to_print(part) for part in parts))


def fit_to_print(text: str) -> str:
    """What may be written to the terminal: without what steers it, unless dlkit itself has painted it."""
    return text if isinstance(text, Painted) else without_steering(text)


def without_steering(text: str) -> str:
    """What could steer the terminal is shown as ``�``; tabs and newlines stay."""
    return _STEERING.sub("�", text)


def clean(text: str) -> str:
    """Text from data or a model: what could steer the terminal is shown as ``�``, tabs become blanks."""
    return without_steering(text).expandtabs(4)


def one_line(text: str) -> str:
    """A name, a label, a table's cell: clean, and no more than one line."""
    return clean(text).replace("\n", " ")


def escaped(text: str) -> str:
    """JSON or TOML as it was made, with ``\\u…`` for what could steer the terminal: programs read the same from it."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def printable(line: str) -> str:
    """A line of a log as it was last seen: without what a ``\\r`` made void, escape sequences, steering characters."""
    last = line.rstrip().rpartition("\r")[2]
    return _STEERING.sub("", _SEQUENCE.sub("", last)).replace("\n", "").rstrip()


def first_line(text: str) -> str:
    return text.partition("\n")[0]
