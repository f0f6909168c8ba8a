"""``python -m dlkit.jobs.service WORKSPACE``: started with the machine, it has the jobs go on that died with it.

After that it keeps the list of those that are going (``memory``), and has a scheduler started where jobs wait and none
is there. It starts nothing else, and what it started outlives it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from dlkit.errors import DAMAGE, DlkitError, in_words
from dlkit.interpreter import leave_out_current_folder
from dlkit.interrupt import Interrupts
from dlkit.jobs.claims import claims
from dlkit.jobs.detach import detach, reap
from dlkit.jobs.queue import log_of, wake
from dlkit.jobs.queue_state import QueueState
from dlkit.jobs.service.memory import SEEN_SECONDS, Memory, boot, lock_of, process_of, remembered
from dlkit.jobs.service.revive import SHUTDOWN_SECONDS, revive
from dlkit.present.output import print_stamped, say
from dlkit.runs import opening
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import RunLock

LOOK_SECONDS = 1.0
TAKEN = 75
"""Another service has this workspace: EX_TEMPFAIL."""
ABSENT = 66
"""There is no such workspace now: its disk may come later. EX_NOINPUT."""
STOPS = (signal.SIGTERM, signal.SIGINT)


class Service:
    """Keeps one workspace's list until it is told to end."""

    def __init__(self, memory: Memory, interrupts: Interrupts) -> None:
        self._memory, self._interrupts = memory, interrupts
        self._workspace = memory.workspace.resolve()
        self._queue = QueueState(self._workspace)

    def serve(self) -> None:
        revive(self._memory, print_stamped)
        self._wake_studies()  # after their trials: what a driver finds interrupted it would take up as well
        while True:
            self._wake()
            until = time.monotonic() + SEEN_SECONDS
            while time.monotonic() < until:
                if self._look():
                    self._write()
                self._interrupts.wait(LOOK_SECONDS)
                if self._interrupts.take():
                    return self._end()
            self._write()

    def _wake_studies(self) -> None:
        """Whoever looks at a study has it go on, and after a power cut nobody does. A process of their own: studies
        stand above jobs."""
        if not (self._workspace / "studies").is_dir():
            return
        with suppress(OSError):
            output = os.fdopen(opening.open_beside(log_of(self._workspace), opening.APPEND), "ab")
            detach("dlkit.studies.waking", [str(self._workspace)], output)

    def _wake(self) -> None:
        """Jobs that wait are started by a scheduler; one that was killed leaves them waiting."""
        with suppress(DlkitError, OSError):
            wake(self._workspace, self._queue)

    def _look(self) -> bool:
        """At the jobs that are going; whether others are than before."""
        reap()
        # Claims, not folders: a workspace has thousands of those, and this happens once a second for ever.
        now, before = time.time(), set(self._memory.going)
        here = {claim.run for claim in claims() if claim.workspace == str(self._workspace)}
        kept = {name: last for name, last in self._memory.going.items() if not self._is_over(name, now - last)}
        self._memory.going = kept | dict.fromkeys(here, now)
        for name in here:
            self._memory.left.pop(name, None)  # somebody has resumed it
        return set(self._memory.going) != before

    def _is_over(self, name: str, silent: float) -> bool:
        """Whether a job ended otherwise than with the machine: in its own way, or long before."""
        if silent > SHUTDOWN_SECONDS:
            return True
        try:
            return str(RunFolder(self._workspace / "runs" / name).read().get("state")) in ("completed", "failed")
        except DAMAGE:
            return False

    def _write(self) -> None:
        try:
            self._memory.write()
        except OSError as error:  # a full disk: it goes on with what it knows
            print_stamped(f"the list of jobs cannot be written: {in_words(error)}")

    def _end(self) -> None:
        # What this machine's end has stopped before us is looked at by its time, against this one.
        self._look()
        self._memory.told_to_end = time.time(), boot()
        self._write()
        print_stamped("service ends; jobs go on")


def main(argv: list[str]) -> int:
    workspace = Path(argv[0])
    if not workspace.is_dir():
        say(f"no workspace {workspace}: the service tries again when it is started again")
        return ABSENT
    with Interrupts(*STOPS) as interrupts:
        try:
            with RunLock(lock_of(workspace)):
                _to_log(workspace)
                print_stamped("service started")
                Service(remembered(workspace), interrupts).serve()
        except BlockingIOError:
            say(f"{workspace} has a service already (process {process_of(workspace)})")
            return TAKEN
    return 0


def _to_log(workspace: Path) -> None:
    """What it says belongs beside what the scheduler says; at a terminal somebody is reading."""
    if sys.stdout.isatty():
        return
    descriptor = opening.open_beside(log_of(workspace.resolve()), opening.APPEND)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(descriptor, stream.fileno())
    os.close(descriptor)


if __name__ == "__main__":
    leave_out_current_folder()  # for the processes that it starts
    sys.exit(main(sys.argv[1:]))
