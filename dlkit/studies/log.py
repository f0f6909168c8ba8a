"""log.jsonl: what happened in a study, a line each, appended and never changed. All else is concluded from it.

=========  ========================================================================================  ==============
line       what it says                                                                              who writes it
=========  ========================================================================================  ==============
setting    ``number``, ``values`` by dotted key: one point of the space                              planner, driver
seeds      ``seeds``: each setting, or each of ``settings``, is trained with these too               planner, extend
trial      ``number``, ``setting``, ``seed``, ``run``: settled, before the run's folder is made      driver
handed     ``trial``: its folder is there, and in the queue                                          driver
again      ``trial``, ``step``: interrupted there, and in the queue again                            driver
value      ``trial``, ``step``, ``value``: the primary metric on the way, where trials are pruned    driver
pruned     ``trial``, ``step``, ``reason``: told to stop                                             driver
ended      ``trial``, ``state``, ``best``, ``metrics``, ``seconds``, ``steps``, ``reason`` …         driver
reopened   ``trial``: one that was stopped is to go on                                               resume
stop       ``by``: nothing more is to be started, and what runs is to stop                           anybody
resume     ``by``: it is to go on                                                                    anybody
extended   ``trials``: more are to be drawn                                                          anybody
tested     ``setting``, ``runs``, ``metrics``, ``looked_before``: the look at test                   driver, best
finished   ``reason``                                                                                driver
=========  ========================================================================================  ==============

The driver holds study.lock; others append whole lines in one write. A torn line is one that nobody wrote.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from dlkit.bounded import LINE, lines, parse_json
from dlkit.errors import RunError
from dlkit.json_types import JsonObject
from dlkit.runs import opening
from dlkit.runs.files import encode_json

LARGEST = 1 << 30
"""Bytes of a log that are read: a trial has some 500."""
Record = JsonObject


def encode(event: str, fields: Mapping[str, object]) -> bytes:
    """A line; numbers that are not finite become text, as in a run's log."""
    from dlkit.strict_numbers import encode as strict

    line = {"event": event, "time": round(time.time(), 3), **fields}
    return encode_json(json.dumps(strict(line), ensure_ascii=False, allow_nan=False) + "\n")


def append(path: Path, event: str, *, durable: bool = False, **fields: object) -> None:
    """A line at the end, after a line end where somebody before was cut short."""
    append_lines(path, [encode(event, fields)], durable=durable)


def append_lines(path: Path, encoded: Iterable[bytes], *, durable: bool = False) -> None:
    descriptor = opening.open_beside(path, opening.APPEND)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        data = (b"\n" if torn else b"") + b"".join(encoded)
        if os.write(descriptor, data) < len(data):  # a full disk takes a part, and whoever comes next ends the line
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


class LogReader:
    """``new()`` gives the whole lines that have come since the last call; what is no record is passed over."""

    def __init__(self, path: Path) -> None:
        self.path, self._offset = path, 0

    def new(self) -> list[Record]:
        """RunError: the log cannot be read."""
        try:
            descriptor = opening.open_beside(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunError(f"{self.path}: {error.strerror or error}") from error
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(descriptor).st_size > LARGEST:
                raise RunError(f"{self.path}: more than the {LARGEST} bytes that are read")
            file.seek(self._offset)
            found = []
            for line in lines(file, LINE):
                if not line.endswith(b"\n"):  # somebody is writing it
                    break
                self._offset = file.tell()
                record = _parsed(line)
                if record is not None:
                    found.append(record)
        return found


def _parsed(line: bytes) -> Record | None:
    try:
        record = parse_json(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("event"), str) else None
