"""``python -m dlkit.jobs.worker RUN``: the process that a job lives in, apart from whoever started it.

It takes run.lock, so that a job is started once however often it is tried; claims the device; and supervises. Exit
codes are those of the run, or 75: not started, the job is as it was.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from dlkit.cores import share
from dlkit.errors import DlkitError
from dlkit.events import Notice
from dlkit.jobs.allocate import Place, Wait, anywhere, place
from dlkit.jobs.claims import Claim, Refused, hold
from dlkit.jobs.job_record import JobRecord, job_of, need_of
from dlkit.jobs.queue import log_of, machine_for, scheduler, wake
from dlkit.jobs.supervise import Supervisor
from dlkit.present.numbers import duration
from dlkit.present.output import say
from dlkit.processes import die_with_parent
from dlkit.runs import index
from dlkit.runs.conclude import record_event
from dlkit.runs.faults import point
from dlkit.runs.folder import RunFolder
from dlkit.runs.giving_way import gave_way
from dlkit.runs.lock import SUPERVISOR, RunLock
from dlkit.runs.own import FOREIGN, as_own_as_before, is_own_job
from dlkit.runs.run_record import RunRecord

NOT_STARTED = 75
"""The job was somebody else's, or its device was taken: EX_TEMPFAIL."""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m dlkit.jobs.worker", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--cpu-slots", type=int, default=0, help="started by a queue: take a free device, or none")
    parser.add_argument("--instead-of", default="", metavar="NAMES", help="runs that gave way to it")
    parser.add_argument("--foreground", action="store_true", help="stop when the process that started this one ends")
    options = parser.parse_args(argv)
    if options.foreground:
        die_with_parent(signal.SIGTERM)
    run = RunFolder(options.run.absolute())
    try:
        code = _take(run, options.cpu_slots, options.instead_of)
        if code != NOT_STARTED:
            _afterwards(run)
    except (OSError, DlkitError):
        if run.path.is_dir():
            raise
        return _removed(run)
    return code


def _removed(run: RunFolder) -> int:
    """Somebody has removed the run, and with it the place where its end would be told: the workspace's log is left."""
    text = f"{run.id}: removed while its job was going, which has ended"
    say(text)
    with suppress(OSError), log_of(run.path.parent.parent).open("a", encoding="utf-8") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
    return 1


def _take(run: RunFolder, cpu_slots: int, instead_of: str) -> int:
    """Take the job, if it is still to be had, and bring it to its end."""
    try:
        with RunLock(run.lock, SUPERVISOR):
            # Read under the lock: a scheduler may start a job twice, and the first worker may have ended it by now.
            record = run.read()
            job = job_of(record)
            if record.get("state") != "queued" or (cpu_slots and job.get("held")):
                return NOT_STARTED
            # A queue starts what its workspace put into it, as it was then; who starts a worker himself has named it.
            if cpu_slots and not is_own_job(run.path, record):
                raise Refused(f"foreign: {FOREIGN}")
            point("worker.locked")
            return _claimed(run, job, cpu_slots, instead_of)
    except BlockingIOError:
        return NOT_STARTED
    except Refused as refused:
        say(f"not started: {refused}")
        return NOT_STARTED


def _claimed(run: RunFolder, job: JobRecord, cpu_slots: int, instead_of: str) -> int:
    """Claim a place: under a queue (``cpu_slots``) one that is free, or none; else the best there is."""
    workspace = run.path.parent.parent
    need, machine = need_of(job), machine_for(workspace)._replace(cpu_slots=cpu_slots or 1)
    keeper = scheduler(workspace), str(workspace.resolve())
    # Somebody who said "now" gets it now, beside others if need be; what waits in a queue has time.
    found = place(need, machine) if cpu_slots else anywhere(need, machine)
    if isinstance(found, Wait):
        raise Refused(found.reason)
    there = found

    def admit(held: list[Claim]) -> str:
        """The same decision, nobody else claiming meanwhile."""
        # What the scheduler keeps is for the jobs of its own queue, whose order it knows.
        others = [claim for claim in held if not (claim.queued and (claim.pid, claim.workspace) == keeper)]
        again = place(need, machine._replace(claims=others))
        if isinstance(again, Wait):
            return again.reason
        return "" if again.devices == there.devices else f"{', '.join(there.devices)} was taken meanwhile"

    holding = hold(
        there.devices,
        run=run.id,
        workspace=workspace,
        memory=need.gpu_memory,
        queued=bool(cpu_slots),
        admit=admit if cpu_slots else None,
    )
    with holding:
        point("worker.claimed")
        _begin(run, job, there, instead_of)
        return Supervisor(run, _environment(there, job, cpu_slots)).run()


def _begin(run: RunFolder, job: JobRecord, there: Place, instead_of: str) -> None:
    """Say that it runs; from whom it has its device, or after whom it goes on, is in its log."""
    story = gave_way(job)
    kept: JobRecord = {**job, "at": 0.0}
    kept.pop("gave_way", None)
    kept.pop("held", None)
    says: RunRecord = {"state": "running", "worker": os.getpid(), "devices": list(there.devices), "job": kept}
    run.update(**as_own_as_before(run.path, run.read(), **says))
    told = [f"{instead_of} gave way to this run"] if instead_of else []
    if story is not None:
        other = story.get("called") or story.get("to")
        waited = duration(max(0.0, time.time() - story.get("time", time.time())))
        after = f" after {other}" if other else ""
        told.append(f"continues{after}: it gave way at step {story.get('step', 0)}, {waited} ago")
    for text in told:
        record_event(run, Notice(step=story.get("step", 0) if story else 0, text=text))
    # Last, and inherited by all that it starts: nobody takes niceness back.
    if job.get("nice"):
        os.setpriority(os.PRIO_PROCESS, 0, int(job["nice"]))


def _environment(place: Place, job: JobRecord, cpu_slots: int) -> dict[str, str]:
    """What the training processes are told of their place: the GPUs they see, the threads they may use."""
    found: dict[str, str] = {}
    if place.visible is not None:
        found["CUDA_VISIBLE_DEVICES"] = place.visible
    if cpu_slots > 1 and place.devices == ("cpu",):  # jobs that share the CPU share its cores, not each take all
        found |= share(cpu_slots * job["nproc"])
    return found


def _afterwards(run: RunFolder) -> None:
    """The lock and the device are free: tell who wants to know, and let the queue go on."""
    workspace = run.path.parent.parent
    index.note(workspace, run)  # after the lock: a summary of a run that has ended is what the index may keep
    with suppress(DlkitError, OSError):
        wake(workspace)
    record = run.read()
    url = job_of(record).get("notify")
    if url and record.get("state") != "queued":  # it goes on
        from dlkit.jobs.notify import finished_record, post

        problem = post(url, finished_record(run))
        if problem:
            say(f"could not notify {url}: {problem}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
