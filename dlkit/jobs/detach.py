"""Starting processes that outlive the one that starts them."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from dlkit.interpreter import python
from dlkit.jobs.logind import outside_of_login
from dlkit.runs import opening
from dlkit.runs.folder import RunFolder

_started: list[subprocess.Popen[bytes]] = []
"""Kept until they have ended: what is forgotten while it runs is warned of, and stays a zombie."""


STOPS = (signal.SIGTERM, signal.SIGINT)
"""What a job is stopped with."""


def detach(module: str, words: Sequence[str], output: BinaryIO, *, holding: bool = False) -> subprocess.Popen[bytes]:
    """Run ``python -m module …`` in a session of its own; what it prints goes to ``output``, which is closed here.

    With ``holding``, ``STOPS`` are blocked in it until it unblocks them: those that come while it is still importing
    what it answers them with would end it without a word.
    """
    reap()
    with output, _blocked(STOPS if holding else ()):
        process = subprocess.Popen(
            [*outside_of_login(), *python(module, *words)],
            stdin=subprocess.DEVNULL,  # a process that reads from a terminal it does not have is stopped by it
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a closed terminal sends SIGHUP to its session, and Ctrl-C goes to its group
        )
    _started.append(process)
    return process


def reap() -> None:
    """Take note of those that have ended; until then they stay zombies."""
    _started[:] = [process for process in _started if process.poll() is None]


def start_worker(run: RunFolder, *words: str, in_foreground: bool = False) -> subprocess.Popen[bytes]:
    """Start the run's worker in a new session; what it prints goes to output.log.

    Here, and not beside ``submit``: a scheduler starts workers, and needs no plugin, no option and no pydantic for it.
    """
    foreground = ["--foreground"] if in_foreground else []
    output = os.fdopen(opening.open_file(run.path, run.output.name, opening.APPEND), "ab")
    return detach("dlkit.jobs.worker", [str(run.path), *words, *foreground], output, holding=True)


@contextmanager
def _blocked(numbers: Sequence[signal.Signals]) -> Iterator[None]:
    """In this thread, and in the processes that it starts meanwhile."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@atexit.register
def _leave() -> None:
    """What goes on is meant to; Python warns of a process that nobody has waited for, in the midst of its own end."""
    for process in _started:
        if process.poll() is None:
            process.returncode = 0
