"""Having the jobs go on that died with the machine, and no others.

A job goes on if it was going when the service was last alive: it is on the service's list, or its log is younger than
the list. It does not if a person ended it or meant to (``stop``, ``pause``), if it belongs to a terminal that is gone
too, if it is not the workspace's own, or if it has died TRIES times without a new checkpoint. What is left alone says
why in run.json, where every list shows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from dlkit.errors import DAMAGE, in_words
from dlkit.jobs.detach import start_worker
from dlkit.jobs.job_record import continued_job, job_of
from dlkit.jobs.queue_state import QueueState
from dlkit.jobs.service.memory import Memory, boot
from dlkit.runs import commands, opening, own
from dlkit.runs.checkpoints import complete
from dlkit.runs.files import file_size
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import RunLock
from dlkit.runs.run_record import RunRecord

TRIES = 3
"""A job goes on from the same checkpoint so often: one that takes the machine down with it would do so for ever."""
SHUTDOWN_SECONDS = 180.0
"""A machine that goes down ends its processes one after the other, each after up to 90 s of asking; what ended so long
before the service, it ended too."""
TERMINATED = tuple(
    f"{said}{late}"
    for said in ("stopped by SIGTERM", "terminated (SIGTERM)")
    for late in ("", ", before it began to train")
)
"""Reasons of runs that somebody's SIGTERM ended: a person's, or that of a machine that goes down."""

Say = Callable[[str], None]


def revive(memory: Memory, say: Say) -> list[str]:
    """Have the jobs go on that died with the machine; their ids. ``memory`` is changed, and written before that."""
    queue = QueueState(memory.workspace)
    queue.refresh()
    # Two kinds: what was cut off in the midst of it, and what a shutdown asked to stop and waited for.
    names = [*_died(queue, memory), *_terminated(queue, memory)]
    refused = {name: why for name in names if (why := _why_not(queue.run(name), queue.record(name), memory))}
    going = [name for name in names if name not in refused]
    memory.left = {name: why for name, why in refused.items() if why != _NOT_OURS}
    memory.tries = {name: _tried(queue.run(name), memory) for name in going}
    memory.going = dict.fromkeys(going, time.time())
    memory.told_to_end = 0.0, ""
    memory.write()  # before the first starts: should it take the machine down, that was one of its tries
    for name, why in memory.left.items():
        say(f"{name}: not continued: {why}")
        _note(queue.run(name), f"not continued by the service: {why}")
    return [name for name in going if _goes_on(queue.run(name), say)]


def _died(queue: QueueState, memory: Memory) -> Iterator[str]:
    """Interrupted runs that were going when the service last said that it was alive."""
    for name in queue.interrupted():
        told = opening.status(queue.run(name).path, "events.jsonl")
        youngest = told.st_mtime if told is not None else 0.0
        if name in memory.going or 0.0 < memory.seen <= youngest:
            yield name


def _terminated(queue: QueueState, memory: Memory) -> Iterator[str]:
    """Runs that the end of the machine stopped in good order: by SIGTERM, when the service was ended as well."""
    moment, before = memory.told_to_end
    if not before or before == boot():  # the machine is the same: a person has ended the service, and the run
        return
    for name in memory.going:
        record = queue.record(name)
        ended = (record.get("result") or {}).get("updated", 0.0)
        stopped = record.get("state") == "stopped" and record.get("reason") in TERMINATED
        if stopped and abs(moment - ended) <= SHUTDOWN_SECONDS:
            yield name


_NOT_OURS = "it belonged to a terminal"


def _why_not(run: RunFolder, record: RunRecord, memory: Memory) -> str:
    """Why a job is left as it is; empty: it goes on."""
    job = job_of(record)
    if not job or job.get("foreground"):
        return _NOT_OURS
    try:
        if own.is_own_job(run.path, record) is not True:
            return f"foreign: {own.FOREIGN}"
        if record.get("state") == "paused":
            return "it was paused"
        asked, _ = commands.read(run.commands, int(job.get("commands_from", 0)))
        stops = [one for one in asked if one.action == "stop" and one.by != "SIGTERM"]
    except DAMAGE as error:
        return in_words(error)
    if stops:
        return f"told to stop by {stops[-1].whose}"
    step, count = _tried(run, memory)
    since = f"after its checkpoint at step {step}" if step >= 0 else "before its first checkpoint"
    return f"it has died {count} times {since}" if count > TRIES else ""


def _tried(run: RunFolder, memory: Memory) -> tuple[int, int]:
    """From which step it goes on now, and how often it will then have done so in a row."""
    # A step counts when it is on the disk: what came after the last checkpoint is trained again each time.
    step = max((checkpoint.step for checkpoint in complete(run.path)), default=-1)
    before, count = memory.tries.get(run.id, (step, 0))
    return step, count + 1 if before == step else 1


def _goes_on(run: RunFolder, say: Say) -> bool:
    try:
        with RunLock(run.lock):  # both parts: somebody may have resumed it meanwhile
            record = run.read()
            if record.get("state") not in ("running", "stopped"):
                return False
            job = continued_job(record, commands_from=file_size(run.commands))
            run.update(**own.marks_again(run.path, record, state="queued", reason="", result=None, job=job))
        if not job["queued"]:  # it was told to begin at once, beside whatever else there is
            start_worker(run)
    except BlockingIOError:
        return False
    except DAMAGE as error:
        say(f"{run.id}: cannot be continued: {in_words(error)}")
        return False
    say(f"{run.id}: goes on")
    return True


def _note(run: RunFolder, why: str) -> None:
    with suppress(*DAMAGE, BlockingIOError), RunLock(run.lock):
        run.update(reason=why)
