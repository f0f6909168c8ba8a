"""``python -m dlkit.jobs.scheduler WORKSPACE``: starts queued jobs when their devices are free; ends when idle.

It keeps nothing that matters: jobs are run folders, devices are claimed by the workers, and a job is started once
because its worker takes run.lock. Killed at any instant, another one goes on from what the folders say.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dlkit.errors import DAMAGE
from dlkit.interrupt import Interrupts
from dlkit.jobs.allocate import Decision, Machine, Place, Queued
from dlkit.jobs.claims import Claim
from dlkit.jobs.detach import start_worker
from dlkit.jobs.queue import decisions, lock_of, log_of, startable
from dlkit.jobs.queue_state import QueueState
from dlkit.jobs.reserving import Reservations
from dlkit.jobs.shares import machine_of, shares
from dlkit.present.output import print_stamped
from dlkit.runs.checkpoints import complete
from dlkit.runs.conclude import end_run
from dlkit.runs.faults import point
from dlkit.runs.giving_way import back_in_queue, pending
from dlkit.runs.lock import SUPERVISOR, RunLock

ROUND_SECONDS = 0.5
"""Between two looks at folders and devices; a job that ends, and a new folder, are noticed within TICK_SECONDS."""
BRISK_SECONDS = 0.05
"""The same while somebody is about to give way."""
TICK_SECONDS = 0.02
LINGER_SECONDS = 1.0
"""It stays for so long with nothing to do: the next job of a script that queues several finds it alive."""
TRIES = 3
"""Workers that end without taking their job before it is given up; one whose device was taken does not count."""
NOT_STARTED = 75
LOG_LIMIT = 1 << 20


class Scheduler:
    """Serves one workspace. ``say`` gets a line for whatever happens; what is noted in ``interrupts`` ends it."""

    def __init__(self, workspace: Path, say: Callable[[str], None], interrupts: Interrupts | None = None) -> None:
        self.workspace, self._say = workspace, say
        self._interrupts = interrupts or Interrupts()
        self.queue = QueueState(workspace)
        self._workers: dict[str, tuple[subprocess.Popen[bytes], Place]] = {}
        self._tries: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._lost: set[str] = set()
        self._runs_changed = 0
        self._reservations = Reservations(self.queue, say)

    def serve(self) -> None:
        """Until nothing is left that could be started. BlockingIOError if the workspace has a scheduler already;
        KeyboardInterrupt, between two rounds, when it was interrupted."""
        while True:
            with RunLock(lock_of(self.workspace)):
                self._say("scheduler started")
                try:
                    self._rounds()
                finally:
                    self._reservations.close()
                self._say("scheduler ends: nothing to start")
            self.queue.refresh()  # whoever came after the last look saw us alive
            if not self._startable():
                return

    def _rounds(self) -> None:
        idle_since: float | None = None
        while True:
            self._reap()
            self.queue.refresh()
            self._put_back_broken_off()
            self._start_what_fits()
            if self._workers or self._startable():
                idle_since = None
            elif idle_since is None:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since >= LINGER_SECONDS:
                return
            self._wait()

    def _startable(self) -> set[str]:
        return startable(self.queue, self._decisions(self._machine()))

    def _decisions(self, machine: Machine) -> list[tuple[Queued, Decision]]:
        return decisions(self.queue, machine, without=self._lost)

    def _machine(self) -> Machine:
        """Devices and claims; a worker that has not claimed its place yet counts as if it had."""
        # Read again each time: --cpu-slots may change it meanwhile.
        machine = self._reservations.without_own(machine_of(self.workspace))
        there = {claim.run for claim in machine.claims}
        coming = [
            Claim(place.devices, name, str(self.workspace), worker.pid, place.memory, time.time(), True)
            for name, (worker, place) in self._workers.items()
            if name not in there and worker.poll() is None and self._is_to_come(name, worker.pid)
        ]
        return machine._replace(claims=[*machine.claims, *coming])

    def _is_to_come(self, name: str, worker: int) -> bool:
        """Whether a worker has yet to claim: one whose job says ``queued`` again has given way."""
        return self.queue.state(name) == "queued" and self.queue.record(name).get("worker") != worker

    def _start_what_fits(self) -> None:
        machine = self._machine()
        decided = self._decisions(machine)
        for job, decision in decided:
            if isinstance(decision, Place) and self._is_free(job):
                self._start(job, decision, machine.cpu_slots)
        self._reservations.look(decided, machine, shares(self.workspace).turn)

    def _put_back_broken_off(self) -> None:
        """Jobs that were killed while they gave way wait again; whoever asked them may have been killed, too."""
        for name in self.queue.broken_off():
            # Both parts of the lock: an orphan that still writes its checkpoint is waited for.
            run = self.queue.run(name)
            with suppress(BlockingIOError, *DAMAGE), RunLock(run.lock):
                record = run.read()
                asked = pending(run, record)
                good = complete(run.path)
                back = asked and back_in_queue(run, record, asked, good[-1].step if good else 0)
                if back:
                    run.update(**back)
                    self._say(f"{name}: killed while it gave way; it waits again")
                    self.queue.refresh()

    def _is_free(self, job: Queued) -> bool:
        """Not started already, nor just refused."""
        return job.id not in self._workers and time.monotonic() >= self._not_before.get(job.id, 0.0)

    def _start(self, job: Queued, place: Place, slots: int) -> None:
        run = self.queue.run(job.id)
        point("scheduler.starting")
        try:
            gave = ", ".join(self._reservations.instead_of(job))
            # One word: a name may begin with a dash.
            worker = start_worker(run, "--cpu-slots", str(slots), *([f"--instead-of={gave}"] if gave else []))
        except DAMAGE as error:
            self._say(f"{job.id}: its worker could not be started: {error}")
            self._failed_try(job.id, f"its worker could not be started {TRIES} times: {error}")
            return
        point("scheduler.started")
        self._workers[job.id] = worker, place
        self._say(f"{job.id}: started on {', '.join(place.devices)} (process {worker.pid})")

    def _reap(self) -> None:
        for name, (worker, _) in list(self._workers.items()):
            code = worker.poll()
            if code is None:
                continue
            del self._workers[name]
            if code == NOT_STARTED:  # somebody else has the job or its device: no fault of its worker's
                self._not_before[name] = time.monotonic() + ROUND_SECONDS
                continue
            self._say(f"{name}: worker ended with code {code}")
            self.queue.refresh()
            record = self.queue.record(name)
            if record.get("state") != "queued" or record.get("worker") == worker.pid:  # queued again: it had its turn
                self._tries.pop(name, None)
                continue
            if code in (-signal.SIGKILL, -signal.SIGTERM):  # somebody's doing, not the job's
                self._not_before[name] = time.monotonic() + ROUND_SECONDS
                continue
            self._failed_try(name, f"its worker ended {TRIES} times with code {code}: output.log has the details")

    def _failed_try(self, name: str, reason: str) -> None:
        self._not_before[name] = time.monotonic() + ROUND_SECONDS
        self._tries[name] = self._tries.get(name, 0) + 1
        if self._tries[name] >= TRIES:  # a worker that cannot even take its job would be started twice a second
            del self._tries[name]
            self._give_up(name, reason)

    def _give_up(self, name: str, reason: str) -> None:
        """A worker that ends again and again without taking its job would be started for ever."""
        run = self.queue.run(name)
        try:
            with RunLock(run.lock, SUPERVISOR):
                if run.read().get("state") == "queued":
                    end_run(run, "failed", reason)
        except BlockingIOError:  # somebody has taken it after all
            return
        except DAMAGE as error:
            self._say(f"{name}: given up, but that cannot be recorded: {error}")
            self._lost.add(name)

    def _wait(self) -> None:
        """For the next round; shorter when something happens."""
        until = time.monotonic() + (BRISK_SECONDS if self._reservations.pending else ROUND_SECONDS)
        while time.monotonic() < until:
            self._interrupts.wait(TICK_SECONDS)
            if self._interrupts.take():
                raise KeyboardInterrupt
            if any(worker.poll() is not None for worker, _ in self._workers.values()) or self._folders_changed():
                return

    def _folders_changed(self) -> bool:
        try:
            changed = (self.workspace / "runs").stat().st_mtime_ns
        except OSError:
            return False
        # The folder's time changes when a run is made or removed; that one ends shows in its worker.
        before, self._runs_changed = self._runs_changed, changed
        return before not in (0, changed)


def main(argv: list[str]) -> int:
    workspace = Path(argv[0])
    if log_of(workspace).stat().st_size > LOG_LIMIT:
        log_of(workspace).write_bytes(b"")
    try:
        Scheduler(workspace, print_stamped).serve()
    except BlockingIOError:  # there is one: it sees what we were started for
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
