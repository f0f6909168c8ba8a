"""The event log: ``events.jsonl``, append-only, and the one function that every reader of it goes through."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from dlkit.bounded import lines, parse_json
from dlkit.errors import in_words
from dlkit.events import Event, MetricsLogged, Resumed, from_record, to_json
from dlkit.runs.faults import point
from dlkit.runs.files import encode_json
from dlkit.runs.opening import APPEND, Damaged, open_file
from dlkit.runs.rollback import Rollback

COPIED = 1 << 24
"""Bytes at a time."""
LARGEST = 1 << 33
"""Bytes of a log that is read from its beginning: a sparse file of any size costs its maker nothing."""
E = TypeVar("E", bound=Event)


class EventLog:
    """Appends events, each in one write; opened by the holder of run.lock only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # O_APPEND: where the next line goes is not moved by anybody who reads or seeks.
        self._descriptor = open_file(path.parent, path.name, APPEND)
        self._seq = self._repair()
        self.restored = False
        """Whether the file was deleted since somebody last said that it was not."""

    def append(self, event: E) -> E:
        """Record an event; returns it with its ``seq`` and ``time``. OSError leaves the log as it was.

        A log that somebody has deleted meanwhile is written again. OSError if there is another in its place, or its
        folder is gone.
        """
        numbered = dataclasses.replace(event, seq=self._seq, time=round(time.time(), 3))
        line = encode_json(to_json(numbered) + "\n")
        status = os.fstat(self._descriptor)
        if status.st_nlink == 0:  # no more than a field of what is asked for anyway
            self._restore(status.st_size)
        size = status.st_size
        point("event.before")
        point("event.torn", lambda: os.write(self._descriptor, line[: len(line) // 2]))
        try:
            written = os.write(self._descriptor, line)
            while written < len(line):  # a full disk takes part of a line before it refuses
                written += os.write(self._descriptor, line[written:])
        except OSError:
            os.ftruncate(self._descriptor, size)  # or the next event would be glued to half a line
            raise
        point("event.after")
        self._seq += 1
        return numbered

    @property
    def next_seq(self) -> int:
        """The ``seq`` of the next event."""
        return self._seq

    def sync(self) -> None:
        """Everything appended so far is on disk when this returns; safe from another thread."""
        # Not after every event: that takes 3 ms instead of 20 µs. A checkpoint makes durable what it stands on; what a
        # power cut takes after that, a resume makes again.
        os.fsync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)

    def _restore(self, size: int) -> None:
        """Give the log its name again. Until we close it, all that was in it is there."""
        try:
            fresh = open_file(self.path.parent, self.path.name, APPEND | os.O_EXCL)
        except FileExistsError as error:
            raise OSError(error.errno, "replaced by another while the run wrote it", str(self.path)) from error
        except FileNotFoundError as error:
            raise OSError(error.errno, "removed while the run was going", str(self.path.parent)) from error
        try:
            for start in range(0, size, COPIED):
                os.write(fresh, os.pread(self._descriptor, min(COPIED, size - start), start))
            os.dup2(fresh, self._descriptor, inheritable=False)  # at once: a checkpoint's thread may be syncing it
        finally:
            os.close(fresh)
        self.restored = True

    def _repair(self) -> int:
        """Cut off a torn last line; returns the next ``seq``."""
        size = os.fstat(self._descriptor).st_size
        tail = _last_lines(self._descriptor, size, 8)
        if tail and not tail[-1].endswith(b"\n"):
            os.ftruncate(self._descriptor, size - len(tail[-1]))
            return self._repair()
        return max((_seq(line) for line in tail), default=-1) + 1  # the last of them may be a block of zeros


class NoLog:
    """What a process has that records nothing: not the first of several."""

    next_seq = -1
    restored = False

    def append(self, event: E) -> E:
        return event

    def sync(self) -> None:
        """Nothing to make durable."""

    def close(self) -> None:
        """Nothing to close."""


def _seq(line: bytes) -> int:
    """A line's number; −1 of one that is not an event (blocks that a power cut left empty, say)."""
    try:
        return int(parse_json(line)["seq"])  # type: ignore[index,call-overload,arg-type]  # whatever the line holds
    except (ValueError, KeyError, TypeError, IndexError):
        return -1


def _last_lines(descriptor: int, size: int, count: int) -> list[bytes]:
    """The last ``count`` lines, the last maybe without its newline."""
    block = 1 << 16
    while True:
        start = max(0, size - block)
        lines = os.pread(descriptor, size - start, start).splitlines(keepends=True)
        if len(lines) > count or start == 0:
            return lines[-count:]
        block *= 8  # a line is as long as what was measured since the last flush: of fast runs, megabytes


def parse_lines(found: Iterable[bytes], damaged: Callable[[str], object] = lambda why: None) -> Iterator[Event]:
    """Lines as events; kinds that this version does not know are passed over, and a torn line.

    ``damaged`` hears what is wrong with each whole line that is none.
    """
    for line in found:
        try:
            event = from_record(parse_json(line))  # type: ignore[arg-type]  # whatever is no table has no ``get``
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if line.endswith(b"\n"):  # else somebody is writing it
                damaged(in_words(error))
            continue
        if event is not None:
            yield event


def read_events(path: Path, say: Callable[[str], object] = lambda text: None) -> list[Event]:
    """What holds of a run's log: everything a later ``resumed`` made void is left out.

    ``say`` hears of lines that are damaged and left out. RunError: the log is there, and cannot be read.
    """
    wrong: list[str] = []
    found = effective(every_event(path, wrong.append))
    if wrong:
        say(f"{path}: {len(wrong)} damaged {'line is' if len(wrong) == 1 else 'lines are'} left out ({wrong[0]})")
    return found


def every_event(path: Path, damaged: Callable[[str], object] = lambda why: None) -> Iterator[Event]:
    """All that was ever logged, void or not; ``damaged`` as for ``parse_lines``."""
    try:
        descriptor = open_file(path.parent, path.name)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "rb") as file:
        if (size := os.fstat(descriptor).st_size) > LARGEST:
            raise Damaged(f"{path}: {size} bytes, more than the {LARGEST} that are read")
        yield from parse_lines(lines(file), damaged)


def effective(events: Iterable[Event]) -> list[Event]:
    """Apply ``resumed``: what came after the checkpoint it started from, and ends of earlier attempts, are void."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, Resumed):
            kept = Rollback.to(event).apply(kept)
        kept.append(event)
    return kept


def history(events: Iterable[Event], metric: str) -> tuple[list[int], list[float]]:
    """One metric's course: steps and values, of events as ``read_events`` gives them."""
    steps: list[int] = []
    values: list[float] = []
    for event in events:
        if isinstance(event, MetricsLogged) and metric in event.values:
            steps.extend(event.steps)
            values.extend(event.values[metric])
    return steps, values


def tail_events(path: Path, size: int = 1 << 18) -> list[Event]:
    """What holds among the last events of a long log, for summaries."""
    try:
        descriptor = open_file(path.parent, path.name)
    except FileNotFoundError:
        return []
    with os.fdopen(descriptor, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - size))  # 20 ms for 256 KiB; all of 100,000 steps, 250
        found = file.read(min(end, size)).splitlines(keepends=True)
    return effective(parse_lines(found if end <= size else found[1:]))  # the first has lost its beginning
