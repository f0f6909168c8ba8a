"""Which files of a run are copied, and how both sides say how far a copy is."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from dlkit.bounded import RECORD
from dlkit.runs import opening

LOGS = ("past.jsonl", "labels.jsonl", "evaluations.jsonl", "reproductions.jsonl", "output.log", "events.jsonl")
"""What grows at its end, and is copied from where the copy ends; the events come last, since they tell of the rest."""
WHOLE = ("config.toml", "environment.json", "run.json")
"""What is written anew, and copied whole."""
END = 4096
"""Bytes at the end of a copy by which it is known to be the beginning of what is there."""
MOST = 1 << 30
"""Bytes of one file that are copied: of a longer one the beginning."""


class Mark(NamedTuple):
    """How far a copy is: its bytes, and a checksum of the last of them, of a file that is copied whole of all."""

    size: int
    crc: int


def mark(run: Path, name: str) -> Mark:
    """Of a file as it lies there; of none, that of nothing."""
    with suppress(OSError):
        descriptor = opening.open_file(run, name)
        try:
            size = os.fstat(descriptor).st_size
            return Mark(size, crc_until(descriptor, size, whole=name in WHOLE))
        finally:
            os.close(descriptor)
    return Mark(0, 0)


def crc_until(descriptor: int, size: int, *, whole: bool = False) -> int:
    """The checksum of the bytes before ``size``."""
    first = 0 if whole else max(0, size - END)
    return crc32(os.pread(descriptor, min(size - first, RECORD), first))
