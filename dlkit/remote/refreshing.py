"""Having mirrors up to date: once, within a limit, for commands; all the time, for who looks on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from dlkit.errors import DAMAGE, DlkitError, in_words
from dlkit.remote.connection import Connection
from dlkit.remote.defined import Remote, remotes
from dlkit.remote.mirror import Mirror
from dlkit.remote.ssh import Unreachable
from dlkit.runs import mirrors
from dlkit.runs.folder import RunFolder, Summary

LIMIT = 3.0
"""Seconds that a list waits for other machines: what has not come by then is shown as it was."""
AGAIN_SECONDS = 30.0
"""A machine that did not answer a list is not asked by the next one for so long, unless somebody says so."""


def refreshed(limit: float | None = LIMIT) -> tuple[list[Summary], list[str]]:
    """The runs of all other machines, asked within ``limit`` seconds (None: however long each takes); and what is the
    matter, a line each."""
    keepers = [Mirror(there) for there in remotes().values()]
    asked = [keeper for keeper in keepers if limit is None or not _is_given_up(keeper)]
    threads = [threading.Thread(target=_refresh, args=(one,), name=one.remote.name, daemon=True) for one in asked]
    deadline = None if limit is None else time.monotonic() + limit
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
    # Of one that is being asked still, what is on the disk: its keeper is another thread's.
    busy = {thread.name for thread in threads if thread.is_alive()}
    there = [Mirror(keeper.remote) if keeper.remote.name in busy else keeper for keeper in keepers]
    found = [run for keeper in there for run in keeper.runs()]
    return found, [line for keeper in keepers if (line := _state(keeper))]


def _refresh(keeper: Mirror) -> None:
    try:
        with Connection(keeper.remote) as connection:
            keeper.refresh(connection)
    except DAMAGE as error:
        keeper.note_trouble(str(error) if isinstance(error, DlkitError) else in_words(error))


def _is_given_up(keeper: Mirror) -> bool:
    text, age = keeper.trouble()
    return bool(text) and age < AGAIN_SECONDS


def _state(keeper: Mirror) -> str:
    """What a person must know of a machine whose runs are listed; empty: nothing."""
    name, (trouble, _), quiet = keeper.remote.name, keeper.trouble(), mirrors.silence(keeper.remote.name)
    if trouble:
        return f"{trouble}; its runs are as of {_moment(name)}" if mirrors.heard(name) else trouble
    if quiet and quiet != "never heard":
        return f"{name}: no answer yet, {quiet}; its runs are as they were then (--refresh waits)"
    if quiet:
        return f"{name}: no answer yet (--refresh waits)"
    return f"{name}: {keeper.left_out} runs have names that are no ids and are left out" if keeper.left_out else ""


def _moment(name: str) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(mirrors.heard(name) or 0.0))


def fetched(there: Remote, reference: str) -> RunFolder:
    """The copy of the run that RUN means over there, up to date; as it was last seen, where nobody answers.

    UsageError: there is no such run. Unreachable: nor has it been seen.
    """
    keeper = Mirror(there)
    try:
        with Connection(there) as connection:
            keeper.refresh(connection)
            return keeper.pull(connection, keeper.find(reference))
    except Unreachable as error:
        with suppress(DlkitError):
            run = mirrors.place(there.name) / "runs" / keeper.find(reference)
            if (run / "run.json").exists():
                keeper.note_trouble(str(error))
                return RunFolder(run)
        raise


class Keeper(threading.Thread):
    """Keeps the mirror of one machine up to date, in a thread, until it is closed: the list, and the runs that are
    ``watched``. When the connection drops it connects again, after longer and longer pauses."""

    PAUSE = 0.3
    """Between two questions for runs that are watched."""
    LIST_PAUSE = 1.0
    """Between two for the list, and five times what it takes."""
    LONGEST_PAUSE = 30.0
    """Before it connects again: at first 1 s, then twice as long each time."""
    WATCHED = 4

    def __init__(self, there: Remote, *, lists: bool = True) -> None:
        super().__init__(name=f"dlkit-remote-{there.name}", daemon=True)
        self.remote = there
        self.runs: Sequence[Summary] = ()
        """As of the last answer, replaced when anything has changed."""
        self.trouble = ""
        """Why there is no connection; empty: there is one, or there never was."""
        self.version = 0
        """Grows with every change of ``runs`` or ``trouble``."""
        self._mirror = Mirror(there)
        self._lists = lists
        self._watched: dict[str, None] = {}
        self._wanted: list[tuple[RunFolder, str, threading.Event]] = []
        self._wake = threading.Event()
        self._ended = False

    def watch(self, run: str) -> None:
        """Keep a run's copy up to date; of several, those that were named last."""
        self._watched.pop(run, None)
        self._watched = {**dict(list(self._watched.items())[1 - self.WATCHED :]), run: None}
        self._wake.set()

    def fetch(self, run: RunFolder, file: str, seconds: float = 20.0) -> None:
        """Have a sample's file brought, and wait for it; what is missing then stays missing."""
        come = threading.Event()
        self._wanted.append((run, file, come))
        self._wake.set()
        come.wait(seconds)

    def close(self) -> None:
        self._ended = True
        self._wake.set()

    def run(self) -> None:
        self._know()
        pause = 1.0
        while not self._ended:
            try:
                with Connection(self.remote) as connection:
                    while not self._ended:
                        pause = 1.0 if self._look(connection) else pause
            except DAMAGE as error:
                self._complain(str(error) if isinstance(error, DlkitError) else in_words(error))
            if not self._ended:
                self._wake.wait(pause)
                self._wake.clear()
                pause = min(2 * pause, self.LONGEST_PAUSE)

    _due = 0.0

    def _look(self, connection: Connection) -> bool:
        began = time.monotonic()
        if self._lists and began >= self._due:
            changed = self._mirror.refresh(connection)
            self._due = time.monotonic() + max(self.LIST_PAUSE, 5 * (time.monotonic() - began))
            if changed or self.trouble:
                self._know()
        while self._wanted:
            run, file, come = self._wanted.pop(0)
            try:
                self._mirror.fetch(connection, run, file)
            except Unreachable:
                if not connection.is_open:
                    raise
            finally:
                come.set()
        for run_id in self._watched:
            self._mirror.pull(connection, run_id)
        if self.trouble:
            self._know()
        self._wake.wait(self.PAUSE)
        self._wake.clear()
        return True

    def _know(self) -> None:
        self.runs = self._mirror.runs()
        self.trouble = ""
        self.version += 1

    def _complain(self, text: str) -> None:
        quiet = mirrors.silence(self.remote.name)
        self.trouble = f"{text} ({quiet})" if quiet and quiet != "never heard" else text
        self._mirror.note_trouble(text)
        self.runs = self._mirror.runs()
        self.version += 1


class Keepers:
    """All machines' keepers. Samples that somebody looks at are fetched by them while this is open."""

    def __init__(self) -> None:
        self._all: Mapping[str, Keeper] = {}

    def open(self, there: Mapping[str, Remote], *, lists: bool = True) -> None:
        self._all = {name: Keeper(one, lists=lists) for name, one in there.items()}
        mirrors.OnDemand.fetch = self._fetch
        for keeper in self._all.values():
            keeper.start()

    def close(self) -> None:
        mirrors.OnDemand.fetch = None
        for keeper in self._all.values():
            keeper.close()

    def __iter__(self) -> Iterator[Keeper]:
        return iter(self._all.values())

    def watch(self, run: RunFolder) -> None:
        """Keep a mirrored run's copy up to date; nothing of one that lies here."""
        if keeper := self._all.get(mirrors.name_of(run.path)):
            keeper.watch(run.id)

    def _fetch(self, run: Path, file: str) -> None:
        if keeper := self._all.get(mirrors.name_of(run)):
            keeper.fetch(RunFolder(run), file)
