"""Where a process's words go: results to stdout, talk to stderr, colour where it is seen."""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO


def say(text: str) -> None:
    """Talk goes to stderr."""
    print(text, file=sys.stderr, flush=True)


def colours(stream: TextIO | None = None) -> bool:
    """Whether to colour: a terminal, and NO_COLOR not set."""
    stream = stream or sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_json(value: object) -> None:
    """One strict JSON document on stdout."""
    from dlkit.events import encode

    print(json.dumps(encode(value), indent=2, ensure_ascii=False, allow_nan=False))
