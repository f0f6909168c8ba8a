"""Where a process's words go: results to stdout, talk to stderr, colour where it is seen."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import TextIO


def say(text: str) -> None:
    """Talk goes to stderr."""
    print(text, file=sys.stderr, flush=True)


def say_from_handler(text: str) -> None:
    """``say`` in a signal's handler: the signal may have come into a ``print``, and that cannot be entered twice."""
    with suppress(OSError, ValueError):  # no standard error, or nobody reads it
        os.write(2 if sys.stderr is None else sys.stderr.fileno(), f"{text}\n".encode())


def colours(stream: TextIO | None = None) -> bool:
    """Whether to colour: a terminal, and NO_COLOR not set."""
    stream = stream or sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_json(value: object) -> None:
    """One strict JSON document on stdout."""
    from dlkit.events import encode

    print(json.dumps(encode(value), indent=2, ensure_ascii=False, allow_nan=False))
