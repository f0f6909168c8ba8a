"""``run.lock``: only its holder writes a run's events, samples and checkpoints.

A POSIX record lock (``fcntl.lockf``): it ends with the process that took it, and forked DataLoader workers do not
inherit it (a flock, and filelock's, is inherited and still looks held after kill -9). Two of its traps shape this
module: closing *any* descriptor of the file drops the lock, and a process never sees its own; so what this process
holds is remembered here, and its files are not opened again.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from pathlib import Path

_held: dict[Path, int] = {}


class RunLock:
    """The right to write one run. ``with RunLock(path):``; BlockingIOError if another process has it."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    def __enter__(self) -> RunLock:
        if self.path in _held:
            raise BlockingIOError(f"{self.path} is held by this process")
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise BlockingIOError(f"{self.path} is held by another process") from error
        _held[self.path] = descriptor
        return self

    def __exit__(self, *_: object) -> None:
        os.close(_held.pop(self.path))


def holder(path: Path) -> int | None:
    """The process that holds a run's lock, or None; acquires nothing and creates nothing."""
    path = path.resolve()
    if path in _held:
        return os.getpid()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return _ask(descriptor)
    finally:
        os.close(descriptor)


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
