"""One job, from its first process to its end: started, watched, started again, ended.

The supervisor imports no torch. It holds the first part of run.lock and the device's claim for as long as the job
lasts; the process that trains holds the second part and writes the events. What that process cannot say itself,
because it was killed, is said here.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from dlkit.cores import share
from dlkit.errors import STOPPED, DlkitError
from dlkit.events import Retried
from dlkit.interpreter import SAFE_PATH
from dlkit.interrupt import Interrupts
from dlkit.jobs.detach import STOPS
from dlkit.jobs.job_record import job_of
from dlkit.jobs.launchers import local
from dlkit.jobs.post_mortem import Death, post_mortem, reports_of
from dlkit.json_types import Json
from dlkit.present.output import say
from dlkit.processes import die_with_parent, oom_kills
from dlkit.runs import commands, giving_way, opening, own
from dlkit.runs.checkpoints import complete
from dlkit.runs.conclude import end_run, record_event, writer_lock
from dlkit.runs.contents import stored_sections
from dlkit.runs.faults import point
from dlkit.runs.files import file_size
from dlkit.runs.folder import ENDED, RunFolder, summarise
from dlkit.runs.giving_way import Release

POLL_SECONDS = 0.5
STOP_SECONDS = 0.5
"""How long a job that has not begun to train is given to obey ``stop`` before it is ended."""
EXIT = {"completed": 0, "stopped": STOPPED, "queued": STOPPED, "failed": 1}
MARGIN_SECONDS = 2.0
"""Before the end of a notice, a process that has not ended is: what is left to do takes so long at most."""


class Supervisor:
    """``run()`` brings one job to its end and returns the exit code. Signals stop the job; a second one at once."""

    def __init__(self, run: RunFolder, environment: Mapping[str, str]) -> None:
        self.folder, self._environment = run, environment
        self.job = job_of(run.read())
        self._nproc = int(self.job["nproc"])
        self._ending = ""
        self._offset = int(self.job.get("commands_from", file_size(run.commands)))
        self._process: subprocess.Popen[bytes] | None = None
        # The end of a child wakes it as well. Nothing is done in a handler, which may come into the middle of a record.
        self._interrupts = Interrupts(*STOPS, wakes=(signal.SIGCHLD,))
        self._heard = 0
        self._leaving: Release | None = None
        self._deadline = math.inf

    def run(self) -> int:
        with self._interrupts:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)  # held back since this process was started
            return self._attempts()

    def _attempts(self) -> int:
        attempt = 0
        while True:
            died = self._attempt()
            if died is None:
                return EXIT.get(str(self.folder.read()["state"]), 1)
            change = self._again(died, attempt)
            if change is None:
                return self._end(died)
            attempt += 1
            self._retry(died, attempt, change)

    def _attempt(self) -> Death | None:
        """Start the processes and wait; None: the run said how it ended."""
        for old in reports_of(self.folder.path):
            opening.remove(self.folder.path, old)
        before = oom_kills()
        self._begun_at = self._log_size()
        try:
            self._process = self._start()
        except (OSError, DlkitError) as error:
            cause: dict[str, Json] = {"kind": getattr(error, "kind", "error"), "error": str(error)}
            said = f"could not be started: {error}"
            return Death("final", said, exit_code=getattr(error, "exit_code", 1), cause=cause)
        point("worker.launched")
        code = self._wait(self._process)
        with writer_lock(self.folder):  # of several processes the one that writes may end after their launcher
            pass
        # Queued again: it has given its device back, and said so itself.
        if self.folder.read().get("state") in (*ENDED, "queued"):
            return None
        # Where several train, their launcher's code does not tell of which signal one of them died.
        killed = code == -signal.SIGKILL or self._nproc > 1
        return post_mortem(self.folder.path, code, self._nproc, for_memory=killed and oom_kills() > before)

    def _start(self) -> subprocess.Popen[bytes]:
        nproc = self._nproc
        own = {"DLKIT_SUPERVISOR": str(os.getpid()), "DLKIT_COMMANDS_FROM": str(self._offset)}
        environment = {**os.environ, **SAFE_PATH, **self._environment, **own}
        if nproc > 1 and "OMP_NUM_THREADS" not in environment:  # else each process takes every core
            environment |= share(nproc)
        return subprocess.Popen(
            self._command(nproc),
            env=environment,
            stdin=subprocess.DEVNULL,
            process_group=0,  # so that one kill ends all of them, and nothing else
            preexec_fn=die_with_parent if sys.platform == "linux" else None,  # a launcher's command is not ours
        )

    def _command(self, nproc: int) -> list[str]:
        launcher = dict(self.job["launcher"])
        name = str(launcher.pop("name"))
        if name == "local":  # without importing every plugin for it
            return local(self.folder.path, nproc, None)
        from dlkit.catalog import Catalog, load_target

        catalog, options = Catalog.load_everything(), None
        spec = catalog.find("launcher", name)
        if spec.config:  # else without pydantic, whose import takes as long as all else that a worker does
            from dlkit.config import config_class

            options = config_class(catalog, spec)(**launcher)
        words: list[str] = load_target(spec, catalog)(self.folder.path, nproc, options)
        return words

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        while (code := process.poll()) is None:
            self._obey_signals()
            self._stop_unbegun()
            self._heed_notice()
            self._interrupts.wait(POLL_SECONDS)
        return code

    def _stop_unbegun(self) -> None:
        """Building data and model can take long, and obeys nobody: a job that is told to stop meanwhile is ended."""
        if self._begun or self._ending:
            return
        asked = commands.read(self.folder.commands, self._offset)[0]
        stops = [c for c in asked if c.action in ("stop", giving_way.ACTION)]
        if stops and time.time() - stops[0].time > STOP_SECONDS:
            self._leaving = giving_way.asked(asked)
            self._kill(f"stopped by {stops[0].whose}, before it began to train")

    def _heed_notice(self) -> None:
        """End what has not managed to: the machine is about to go, and what it last wrote is whole."""
        if time.monotonic() > self._deadline and not self._ending:
            good = complete(self.folder.path)
            last = f"goes on from step {good[-1].step}" if good else "begins again"
            self._leaving = self._pending()
            self._kill(f"the notice was too short for a checkpoint: it {last}")

    @property
    def _begun(self) -> bool:
        """Whether the processes have come to train."""
        return self._log_size() > self._begun_at

    def _log_size(self) -> int:
        return file_size(self.folder.events)

    def _obey_signals(self) -> None:
        for number in self._interrupts.take():
            if number == signal.SIGTERM and (notice := giving_way.notice_seconds()):
                self._take_notice(notice)
                continue
            self._heard += 1
            name = "interrupted (SIGINT)" if number == signal.SIGINT else "terminated (SIGTERM)"
            if not self._begun:
                self._kill(f"{name}, before it began to train")
            elif self._heard > 1:
                self._kill(f"{name}, at once")
            else:
                commands.append(self.folder.commands, "stop", by=number.name)

    def _take_notice(self, seconds: float) -> None:
        """The first SIGTERM says when the machine goes; a job of the queue goes on after that by itself."""
        # More of them are the same notice: clusters repeat it, and cut nothing short by that.
        if self._deadline == math.inf:
            self._deadline = time.monotonic() + max(seconds / 2, seconds - MARGIN_SECONDS)
            if self.job.get("queued") and not self.job.get("stack"):
                giving_way.ask(self.folder, giving_way.NOTICE, by="SIGTERM")
            else:
                commands.append(self.folder.commands, "stop", by="SIGTERM")

    def _kill(self, reason: str) -> None:
        self._ending = reason
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _again(self, died: Death, attempt: int) -> dict[str, int] | None:
        """What to change for another attempt; None: there is none."""
        self._obey_signals()
        if self._ending or died.kind == "final":
            return None
        if died.kind == "memory" and self.job["on_oom"] == "halve":
            change = halved(self.folder)  # not counted as a restart: it ends by itself, when a batch is one sample
        else:
            change = {} if attempt < int(self.job["max_restarts"]) else None
        return None if change is not None and self._stop_asked(died) else change

    def _stop_asked(self, died: Death) -> bool:
        """Whether the attempt was told to stop and died before it could, or since; what else it was told is past."""
        asked, self._offset = commands.read(self.folder.commands, self._offset)
        stops = [command for command in asked if command.action == "stop"]
        if stops:
            self._ending = f"stopped by {stops[0].whose}; {died.reason}"
        self._leaving = giving_way.asked(asked)
        return bool(stops) or self._leaving is not None

    def _pending(self) -> Release | None:
        """Who the job has been asked to give way to."""
        return giving_way.asked(commands.read(self.folder.commands, self._offset)[0])

    def _retry(self, died: Death, attempt: int, change: Mapping[str, int]) -> None:
        settings = {f"engine.{key}": value for key, value in change.items()}
        of = int(self.job["max_restarts"]) if not change else attempt
        step = summarise(self.folder).step
        record_event(self.folder, Retried(step=step, reason=died.reason, attempt=attempt, of=of, settings=settings))
        self.job.pop("before", None)  # it has trained: the run is no longer what it was
        self.job["overrides"] = {**self.job.get("overrides", {}), **change}
        if change:
            self.job["inexact"] = [f"out of memory: {', '.join(f'{k} = {v}' for k, v in settings.items())}"]
        self.folder.update(**own.as_own_as_before(self.folder.path, self.folder.read(), job=self.job))

    def _end(self, died: Death) -> int:
        """Say how the run ended, as the process could not."""
        leaving = self._leaving or (self._pending() if died.silent and not self._ending else None)
        if leaving is not None and self._put_back(leaving):
            return STOPPED
        if self._ending:
            end_run(self.folder, "stopped", self._ending)
            return STOPPED
        if died.silent:  # as after a power cut: interrupted, and why as far as it is known
            self.folder.update(reason=died.reason)
            return 1
        if "before" in self.job and died.kind == "final" and not self._begun:
            say(died.reason)
            # A resume that came to nothing (nothing left to do, a plugin gone): the run is as good as it was.
            self.folder.update(**self.job["before"])
            return died.exit_code
        end_run(self.folder, "failed", died.reason, traceback=died.traceback, known=died.known, cause=died.cause)
        return died.exit_code

    def _put_back(self, release: Release) -> bool:
        """Back into the queue, as of its last good checkpoint: it was ended before it could give way."""
        good = complete(self.folder.path)
        back = giving_way.back_in_queue(self.folder, self.folder.read(), release, good[-1].step if good else 0)
        if back is not None:
            with writer_lock(self.folder):
                self.folder.update(**back)
        return back is not None


def halved(run: RunFolder) -> dict[str, int] | None:
    """Engine options with half the batch and twice the accumulation; None if a batch cannot be halved any more.

    Of a batch of odd size it is the largest part that divides it.
    """
    engine: dict[str, Any] = dict(stored_sections(run)["engine"])
    size = int(engine["batch_size"])
    # The smallest divisor, so that part times accumulation is exactly the batch, and a step computes the same sum.
    part = next((divisor for divisor in range(2, size + 1) if size % divisor == 0), 0)
    if not part:
        return None
    change = {"batch_size": size // part, "accumulate": int(engine["accumulate"]) * part}
    change["eval_batch_size"] = max(1, int(engine["eval_batch_size"]) // part)
    # Limits count loader batches, which are smaller now: an epoch stays what it was.
    limits = {key: int(engine[key]) * part for key in ("limit_batches", "overfit_batches") if engine.get(key)}
    return {**change, **limits}
