"""``run.lock``: only its holder writes a run's events, samples and checkpoints.

A POSIX record lock (``fcntl.lockf``): it ends with the process that took it, and forked DataLoader workers do not
inherit it (a flock, and filelock's, is inherited and still looks held after kill -9). Two of its traps shape this
module: closing *any* descriptor of the file drops the lock, and a process never sees its own; so what this process
holds is remembered here, and its files are not opened again.

The lock has two parts, of one byte each. A process that trains in its own right takes both. Under a supervisor
(``dlkit.jobs.worker``) the supervisor takes the first for as long as the job lasts, over restarts, and the process
that trains takes the second while it writes: nobody else can begin until both are gone.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from pathlib import Path

BOTH = (0, 2)
SUPERVISOR = (0, 1)
WRITER = (1, 1)
Part = tuple[int, int]
"""First byte and length."""

_held: dict[Path, tuple[int, list[Part]]] = {}
"""The files that this process holds parts of: descriptor and parts."""


class RunLock:
    """The right to write one run, or a part of it. ``with RunLock(path):``; BlockingIOError if it is taken."""

    def __init__(self, path: Path, part: Part = BOTH) -> None:
        self.path = path.resolve()  # a run may be reached through a link: one file, one lock
        self.part = part

    def __enter__(self) -> RunLock:
        # One descriptor for both parts: closing a second one, whenever that is, would drop them.
        descriptor, parts = _held.get(self.path, (None, []))
        if any(_overlap(part, self.part) for part in parts):
            raise BlockingIOError(f"{self.path} is held by this process")  # the system would grant it again
        if descriptor is None:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        first, length = self.part
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, first)
        except OSError as error:
            if not parts:
                os.close(descriptor)
            raise BlockingIOError(f"{self.path} is held by another process") from error
        _held[self.path] = descriptor, [*parts, self.part]
        return self

    def __exit__(self, *_: object) -> None:
        descriptor, parts = _held.pop(self.path)
        rest = [part for part in parts if part != self.part]
        if rest:
            first, length = self.part
            fcntl.lockf(descriptor, fcntl.LOCK_UN, length, first)  # closing the file would drop the other part too
            _held[self.path] = descriptor, rest
        else:
            os.close(descriptor)


def holder(path: Path) -> int | None:
    """The process that holds a lock, or a part of it, or None; acquires nothing and creates nothing."""
    path = path.resolve()
    if path in _held:  # the system tells of others' locks alone; to open and close the file would drop this one
        return os.getpid()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return _ask(descriptor)
    finally:
        os.close(descriptor)


def _overlap(one: Part, other: Part) -> bool:
    return one[0] < other[0] + other[1] and other[0] < one[0] + one[1]


def _ask(descriptor: int) -> int | None:
    """F_GETLK: who would keep us from a write lock. ``struct flock`` differs between Linux and macOS."""
    if sys.platform == "darwin":
        layout, kind_at, pid_at = "qqihh", 3, 2
        question = struct.pack(layout, 0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
    else:
        layout, kind_at, pid_at = "hhqqi4x", 0, 4
        question = struct.pack(layout, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    answer = struct.unpack(layout, fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    return None if answer[kind_at] == fcntl.F_UNLCK else int(answer[pid_at])
