"""Following a run from outside: what its log holds, then what is appended, by byte offset.

Any number of processes may follow one run. Nothing here acquires or writes anything: whether the run is alive is asked
of its lock, which a follower never takes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dlkit.bounded import LINE
from dlkit.events import Event, Finished
from dlkit.present.text import printable
from dlkit.runs.folder import ENDED, RunFolder, current_state
from dlkit.runs.log import effective, parse_lines
from dlkit.runs.opening import open_file

PORTION = 1 << 24
"""Bytes of a log that are read in one go, where nobody says otherwise."""
LOST = ("interrupted", "damaged", "removed")
"""States of a run that nothing more will come from, though it never said how it ended."""


class Gone(NamedTuple):
    """A run is over and its log does not say how: ``state`` is interrupted, damaged, removed, or one of ``ENDED``."""

    state: str


class Tail:
    """The whole lines of a growing file from ``offset`` on; a line without its end waits for the rest of it."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path, self.offset = path, offset

    def lines(self, *, torn: bool = False, limit: int = PORTION, longest: int = LINE) -> list[bytes]:
        """What has come since the last call, without line ends; with ``torn``, an unfinished last line too.

        About ``limit`` bytes of it, at least a line; the next call gives what follows. Of a file with a line that is
        longer than ``longest``, which is no log of ours, what it has by then is passed over.
        """
        try:
            with os.fdopen(open_file(self.path.parent, self.path.name), "rb") as file:
                file.seek(self.offset)
                data = file.read(limit)
                if b"\n" not in data:
                    data += file.readline(max(0, longest - len(data)))
                if len(data) >= longest and b"\n" not in data:  # a hole of a terabyte costs its maker nothing
                    self.offset = os.fstat(file.fileno()).st_size
                    return []
        except OSError:  # not there yet, or no more
            return []
        # A line is whole when its end is there: its writer may have been cut short, or be in the middle of it.
        whole = data if torn else data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        lines = whole.split(b"\n")
        return lines if lines[-1] else lines[:-1]


class Follower:
    """``poll()`` gives a run's next events without ever waiting.

    The first call gives what holds of the whole log (``runs.log.read_events``), later ones what was appended, among it
    perhaps a ``Resumed`` that makes void what was given before. From a ``start`` other than 0, a byte offset that a
    line begins at, there is no history. A ``Finished`` is given only when it is the run's end and no earlier attempt's.

    ``withheld`` is an end on record that is not, or not yet, known to be the run's.

    ``state`` is the run's, as of the last poll (``runs.folder.current_state``, or one of ``LOST``). ``ended`` is None
    while more may come: from a run that trains, is paused or waits in the queue, or is on another host.
    """

    def __init__(self, run: RunFolder, start: int = 0) -> None:
        self.run = run
        self.state = ""
        self.ended: Finished | Gone | None = None
        self.withheld: Finished | None = None
        self._tail = Tail(run.events, start)

    def poll(self) -> list[Event]:
        """The next events, maybe none."""
        if self.ended is not None:
            return []
        state = state_now(self.run)  # before reading: who is dead by then has written all there will be to read
        found = self._read()
        self.state = state
        if state in ENDED or state in LOST:
            self.ended = self.withheld or Gone(state)
            found += [self.withheld] if self.withheld else []
        return found

    def _read(self) -> list[Event]:
        """What was appended; an end is kept back, since it is void if the run is about to be resumed."""
        before = [self.withheld] if self.withheld else []
        found = effective([*before, *parse_lines(self._lines())])
        last = found[-1] if found else None
        self.withheld = last if isinstance(last, Finished) else None
        return [event for event in found if not isinstance(event, Finished)]

    def _lines(self) -> Iterator[bytes]:
        while found := self._tail.lines():
            yield from found


def follow(run: RunFolder, *, start: int = 0, poll: float = 0.1) -> Iterator[Event | Gone]:
    """A run's events until it is over: the last is its ``Finished``, or ``Gone`` where it never said how it ended.

    ``start`` is a byte offset as for ``Follower``, ``poll`` the seconds between two looks. While the run waits in the
    queue, so does this.
    """
    follower = Follower(run, start)
    while True:
        yield from follower.poll()
        if follower.ended is not None:
            break
        time.sleep(poll)
    if isinstance(follower.ended, Gone):
        yield follower.ended


class OutputLog:
    """Lines of output.log as they come, fit for a terminal: no control characters, of a line redrawn its last form."""

    def __init__(self, run: RunFolder, offset: int = 0) -> None:
        self._tail = Tail(run.output, offset)

    @property
    def offset(self) -> int:
        """The byte behind the last line given."""
        return self._tail.offset

    def poll(self, *, torn: bool = False) -> list[str]:
        """The next lines, maybe none; with ``torn``, an unfinished last one too."""
        return [line for _, line in self.poll_placed(torn=torn)]

    def poll_placed(self, *, torn: bool = False) -> list[tuple[int, str]]:
        """The same, each with the byte of output.log behind which it ends."""
        found, end = [], self._tail.offset
        # What people read has no line of 16 MB: to join one of 64 MB, as a hole has, took 128 MB.
        for raw in self._tail.lines(torn=torn, longest=PORTION):
            end += len(raw) + 1
            line = printable(raw.decode(errors="replace"))
            if line:
                found.append((end, line))
        return found


def state_now(run: RunFolder) -> str:
    """``current_state``, also of a folder that is damaged or gone; an end is believed of a newer format's too."""
    try:
        record = run.read()
        state = current_state(run, record)
    except (OSError, ValueError):
        return "damaged" if run.path.is_dir() or run.path.is_symlink() else "removed"
    return str(record["state"]) if record.get("state") in ENDED else state
