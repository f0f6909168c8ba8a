"""Text from data, models, logs and plugins, made fit to be shown."""

from __future__ import annotations

import re

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and newline, halves of surrogate pairs, and what turns the direction of writing."""
_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
"""Whole escape sequences: colours and cursor movements, titles and links."""


def clean(text: str) -> str:
    """Text from data or a model: what could steer the terminal is shown as ``�``, tabs become blanks."""
    return _STEERING.sub("�", text).expandtabs(4)


def printable(line: str) -> str:
    """A line of a log as it was last seen: without what a ``\\r`` made void, escape sequences, steering characters."""
    last = line.rstrip().rpartition("\r")[2]
    return _STEERING.sub("", _SEQUENCE.sub("", last)).replace("\n", "").rstrip()


def first_line(text: str) -> str:
    return text.partition("\n")[0]
