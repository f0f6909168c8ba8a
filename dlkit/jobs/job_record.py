"""The ``job`` table of run.json: what a supervisor and a scheduler must know of a job, without reading its options."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypedDict, cast

from dlkit.errors import RunError
from dlkit.interpreter import MOST_PROCESSES
from dlkit.jobs.allocate import Need
from dlkit.jobs.memory import parse_memory
from dlkit.runs.giving_way import GaveWay
from dlkit.runs.run_record import Result, RunRecord

if TYPE_CHECKING:  # who only reads records does not load pydantic for it
    from dlkit.config import Resolved


class Submission(NamedTuple):
    """What was said when a job was handed over.

    ``queued``: a scheduler starts it; otherwise its worker is started at once. ``after`` are ids of runs that must be
    completed first. Jobs that wait with the same word for a ``stack`` are trained as one where they can be
    (``jobs.stacking``). ``foreground``: its worker ends with whoever handed it over. An ``urgent`` one comes before all
    others, and may have one that runs give way; none starts before ``at``, in UTC seconds.
    """

    queued: bool
    priority: int = 0
    after: Sequence[str] = ()
    offline: bool = False
    stack: str = ""
    foreground: bool = False
    urgent: bool = False
    at: float = 0.0


class Before(TypedDict):
    """What run.json said before the run was resumed: it says so again if that comes to nothing."""

    state: str
    reason: str | None
    result: Result | None


class JobRecord(TypedDict, total=False):
    """The table, key by key. What an older version did not write is missing.

    since          when it was handed over, in UTC seconds
    queued, priority, after, offline, stack, foreground, urgent, at
                   see ``Submission``
    device, threads, nproc, gpu_memory, launcher, max_restarts, on_oom, notify, nice
                   options that are needed before the configuration is read; ``gpu_memory`` in bytes, ``launcher`` with
                   its name and options
    commands_from  offset in commands.jsonl from which on this job is meant
    resume, overrides, allow_inexact, before
                   of a job that goes on; ``overrides`` are engine options
    gave_way       to whom it gave its device back, and at which step (``runs.giving_way``), while it waits to go on
    held           who has it wait until somebody says otherwise, and why
    inexact        what the supervisor changed on the way that changes the result
    mark           that the workspace put the job into its queue as it is (``runs.own``)
    """

    since: float
    queued: bool
    priority: int
    after: list[str]
    offline: bool
    stack: str
    foreground: bool
    urgent: bool
    at: float
    device: str
    threads: int
    nproc: int
    gpu_memory: int | None
    launcher: dict[str, object]
    max_restarts: int
    on_oom: str
    notify: str | None
    nice: int
    commands_from: int
    resume: bool
    overrides: dict[str, object]
    allow_inexact: bool
    before: Before
    gave_way: GaveWay
    held: str
    inexact: list[str]
    mark: str


def job_of(record: RunRecord) -> JobRecord:
    """The table in a run.json; empty of a run that was never handed over."""
    found = record.get("job")
    return cast(JobRecord, found) if isinstance(found, dict) else {}


def need_of(job: JobRecord) -> Need:
    """What a job asks for of the machine; RunError for a number of processes that no option could have given it."""
    nproc = job.get("nproc", 1)
    if not isinstance(nproc, int) or not 1 <= nproc <= MOST_PROCESSES:
        raise RunError(f"run.json says nproc = {nproc!r}: allowed are 1 to {MOST_PROCESSES}")
    return Need(str(job.get("device", "auto")), nproc, job.get("gpu_memory"))


def new_job(resolved: Resolved, submission: Submission, commands_from: int = 0) -> JobRecord:
    """The table of a job that begins.

    ``commands_from``: what is asked while it is being started is for it, too.
    """
    job, launcher = resolved.job, resolved.specs["launcher"].name
    options = resolved.sections["launcher"].model_dump(mode="json", exclude_none=True)
    return {
        "since": round(time.time(), 3),
        "queued": submission.queued,
        "priority": submission.priority,
        "after": list(submission.after),
        "offline": submission.offline,
        "stack": submission.stack,
        "foreground": submission.foreground,
        "urgent": submission.urgent,
        "at": submission.at,
        "device": resolved.engine.device,
        "threads": resolved.engine.threads,
        "nproc": job.nproc,
        "launcher": {"name": launcher, **options},
        "gpu_memory": parse_memory(job.gpu_memory) if job.gpu_memory else None,
        "max_restarts": job.max_restarts,
        "on_oom": job.on_oom,
        "notify": job.notify,
        "nice": job.nice,
        "commands_from": commands_from,
    }


def resumed_job(
    resolved: Resolved,
    submission: Submission,
    record: RunRecord,
    overrides: Mapping[str, object],
    allow_inexact: bool,
    commands_from: int,
) -> JobRecord:
    """The table of a job that goes on; ``record`` is what its run.json says now."""
    new = new_job(resolved, submission, commands_from)
    if record.get("state") == "queued" and "fingerprint" not in record:  # a foreign one, that never began
        return {**new, "overrides": dict(overrides)}
    return {
        **new,
        "device": _any_of_its_kind(str(record.get("device", resolved.engine.device))),
        "resume": True,
        "overrides": dict(overrides),
        "allow_inexact": allow_inexact,
        "before": _before(record),
    }


def continued_job(record: RunRecord, commands_from: int) -> JobRecord:
    """The table of a job that goes on just as it was handed over, nothing said anew: its processes are gone."""
    # It had been started: what it came after was completed then, and may have been removed or resumed since.
    job: JobRecord = {**job_of(record), "commands_from": commands_from, "after": []}
    if "fingerprint" not in record:  # it never began: there is nothing yet to resume
        return job
    return {**job, "device": _any_of_its_kind(str(record["device"])), "resume": True, "before": _before(record)}


def _any_of_its_kind(device: str) -> str:
    """Any GPU will do: the one it had may be taken, and the numbers of GPUs differ between machines."""
    return device.partition(":")[0] if device.startswith("cuda") else device


def _before(record: RunRecord) -> Before:
    state = record.get("state", "?")
    # A foreign job is not put back into the queue: it would be the workspace's own by then.
    kept = "stopped" if state == "queued" else state
    return {"state": kept, "reason": record.get("reason"), "result": record.get("result")}
