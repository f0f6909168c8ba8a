"""``commands.jsonl``: what people ask of a running job. Anybody appends; the process that trains reads and obeys.

A line is one JSON object: ``{"id": …, "time": …, "by": …, "action": …}``, with ``key`` and ``value`` for ``set``
and, where one was given, a ``reason``.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from dlkit.bounded import parse_json
from dlkit.errors import UsageError
from dlkit.json_types import Json
from dlkit.runs import opening
from dlkit.runs.files import encode_json
from dlkit.shapes import LATEST, fields, number, text, whole

PORTION = 1 << 24
"""Bytes that are read in one go: a command has some 100."""
LONGEST_REASON = 500
ACTIONS = ("stop", "pause", "unpause", "release", "sample", "checkpoint", "set")


_COMMAND = fields(action=text, key=text, id=text, by=text, reason=text, time=number(0, LATEST), end=whole())


class Command(NamedTuple):
    """What somebody asks for: one line. ``by`` says who, ``reason`` why; ``end`` is the offset behind
    it, which orders commands."""

    action: str
    key: str = ""
    value: Json = None
    id: str = ""
    by: str = ""
    time: float = 0.0
    end: int = 0
    reason: str = ""

    @property
    def whose(self) -> str:
        """Who asks, and why if that was said: ``anna@host: too hot``."""
        return f"{self.by}: {self.reason}" if self.reason else self.by

    def to_json(self) -> dict[str, Json]:
        return self._asdict()

    @classmethod
    def from_json(cls, record: Mapping[str, Json]) -> Command:
        """TypeError or ValueError if it is no command; unknown fields are left out."""
        if wrong := _COMMAND(record, ""):
            raise ValueError(wrong)
        return cls(**{key: record[key] for key in cls._fields if key in record})  # type: ignore[arg-type]


def append(path: Path, action: str, key: str = "", value: object = None, *, by: str = "", reason: str = "") -> str:
    """Ask; returns the command's id, under which the job records that it obeyed (event ``command``)."""
    identity = os.urandom(4).hex()
    record = {"id": identity, "time": round(time.time(), 3), "by": by or somebody(), "action": action}
    if reason:
        record["reason"] = checked_reason(reason)
    if key:
        record |= {"key": key, "value": value}
    line = encode_json(json.dumps(record, allow_nan=False, ensure_ascii=False) + "\n")
    # One write, appended: lines of several people at once do not mix. There is no lock that a dead process could hold.
    opening.append(path.parent, path.name, line)
    return identity


def checked_reason(text: str) -> str:
    """UsageError for one that is too long: it stands in the log, and in lists."""
    text = " ".join(text.split())
    if len(text) > LONGEST_REASON:
        raise UsageError(f"the reason has {len(text)} characters: at most {LONGEST_REASON}")
    return text


def read(path: Path, start: int = 0) -> tuple[list[Command], int]:
    """The whole lines from offset ``start`` on, and the offset behind them; what is not a command is passed over.

    PORTION at a time: who goes on from the offset gets the rest.
    """
    try:
        descriptor = opening.open_file(path.parent, path.name)
    except FileNotFoundError:
        return [], start
    with os.fdopen(descriptor, "rb") as file:
        file.seek(start)
        data = file.read(PORTION)
    if len(data) == PORTION and b"\n" not in data:  # nobody asks at such length: go on behind it
        return [], start + PORTION
    found = []
    end = start
    for line in data.splitlines(keepends=True):
        if not line.endswith(b"\n"):  # it is being written, or was cut short: whoever comes next ends it
            break
        end += len(line)
        command = _parsed(line, end)
        if command is not None:
            found.append(command)
    return found, end


def _parsed(line: bytes, end: int) -> Command | None:
    try:
        return Command.from_json(parse_json(line))._replace(end=end)  # type: ignore[arg-type]  # a TypeError, if no table
    except (ValueError, TypeError):
        return None


def somebody() -> str:
    """Who this is, for what is on record: ``user@host``."""
    import getpass
    import socket

    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # no such user in the system's list
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
