"""``run.lock``: only its holder writes a run's events, samples and checkpoints.

A POSIX record lock (``fcntl.lockf``): it ends with the process that took it, and forked DataLoader workers do not
inherit it (a flock, and filelock's, is inherited and still looks held after kill -9). Two of its traps shape this
module: closing *any* descriptor of the file drops the lock, and a process never sees its own; so what this process
holds is remembered here, by device and inode, and its files are not opened again. No link is followed: a lock whose
name leads elsewhere would make or open a file there.

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

from dlkit.runs.opening import open_beside

BOTH = (0, 2)
SUPERVISOR = (0, 1)
WRITER = (1, 1)
Part = tuple[int, int]
"""First byte and length."""

_held: dict[tuple[int, int], tuple[int, list[Part]]] = {}
"""The files that this process holds parts of, by device and inode: descriptor and parts."""


class RunLock:
    """The right to write one run, or a part of it. ``with RunLock(path):``; BlockingIOError if it is taken."""

    def __init__(self, path: Path, part: Part = BOTH) -> None:
        self.path, self.part = path, part
        self._file = 0, 0

    def __enter__(self) -> RunLock:
        # One descriptor for both parts: closing a second one, whenever that is, would drop them.
        descriptor, parts = _held.get(_identity(self.path), (None, []))
        if any(_overlap(part, self.part) for part in parts):
            raise BlockingIOError(f"{self.path} is held by this process")  # the system would grant it again
        if descriptor is None:
            descriptor = open_beside(self.path, os.O_RDWR | os.O_CREAT)
        first, length = self.part
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, first)
        except OSError as error:
            if not parts:
                os.close(descriptor)
            raise BlockingIOError(f"{self.path} is held by another process") from error
        found = os.fstat(descriptor)  # not by its name any more: a run that is removed is renamed under its lock
        self._file = found.st_dev, found.st_ino
        _held[self._file] = descriptor, [*parts, self.part]
        return self

    def __exit__(self, *_: object) -> None:
        descriptor, parts = _held.pop(self._file)
        rest = [part for part in parts if part != self.part]
        if rest:
            first, length = self.part
            fcntl.lockf(descriptor, fcntl.LOCK_UN, length, first)  # closing the file would drop the other part too
            _held[self._file] = descriptor, rest
        else:
            os.close(descriptor)


def holder(path: Path) -> int | None:
    """The process that holds a lock, or a part of it, or None; acquires nothing and creates nothing."""
    if _identity(path) in _held:  # the system tells of others' locks alone; to open and close the file drops this one
        return os.getpid()
    try:
        descriptor = open_beside(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return _ask(descriptor)
    finally:
        os.close(descriptor)


def _identity(path: Path) -> tuple[int, int]:
    """Device and inode of a file; of nothing, where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


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
