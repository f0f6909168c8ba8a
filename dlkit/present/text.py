"""Text from data, models, logs and plugins, made fit to be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from dlkit.steering import STEERING, without_steering

_SEQUENCE = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
"""Whole escape sequences: colours and cursor movements, titles and links."""
_COLOUR = r"(\x1b\[[0-9;]*m)"
"""What dlkit itself paints with; in a group, so that ``split`` keeps it."""


class Painted(str):
    """Text that may hold colours, and nothing else that steers: what is shown of it is not cleaned again.

    Whoever paints cleans the parts first. What was forgotten can then change a colour, but neither move the cursor nor
    talk to the terminal.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Painted:
        parts = re.split(_COLOUR, text)
        return super().__new__(cls, "".join(p if i % 2 else without_steering(p) for i, p in enumerate(parts)))

    @classmethod
    def joined(cls, between: str, parts: Iterable[str]) -> Painted:
        """Parts of which some are painted; the others are cleaned."""
        return cls(between.join(fit_to_print(part) for part in parts))


def fit_to_print(text: str) -> str:
    """What may be written to the terminal: without what steers it, unless dlkit itself has painted it."""
    return text if isinstance(text, Painted) else without_steering(text)


def clean(text: str) -> str:
    """Text from data or a model: what could steer the terminal is shown as ``�``, tabs become blanks."""
    return without_steering(text).expandtabs(4)


def escaped(text: str) -> str:
    """JSON or TOML as it was made, with ``\\u…`` for what could steer the terminal: programs read the same from it."""
    return re.sub(STEERING, lambda found: f"\\u{ord(found[0]):04x}", text)


def printable(line: str) -> str:
    """A line of a log as it was last seen: without what a ``\\r`` made void, escape sequences, steering characters."""
    last = line.rstrip().rpartition("\r")[2]
    return re.sub(STEERING, "", re.sub(_SEQUENCE, "", last)).replace("\n", "").rstrip()


def from_here(value: object) -> object:
    """A setting as people see it: of a path below the current folder, the part from there on. Whatever is stored is
    absolute, so that it means the same from anywhere."""
    if not isinstance(value, str) or not value.startswith("/"):
        return value
    here = f"{Path.cwd()}/"
    return value.removeprefix(here) if value != here else "."


def first_line(text: str) -> str:
    return text.partition("\n")[0]
