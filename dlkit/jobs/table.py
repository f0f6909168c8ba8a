"""The ``job`` table of run.json: what a supervisor and a scheduler must know of a job, without reading its options."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dlkit.config import Resolved
from dlkit.jobs.allocate import parse_memory


class Submission(NamedTuple):
    """What was said when a job was handed over.

    ``queued``: a scheduler starts it; otherwise its worker was started at once. ``after`` are ids of runs that must be
    completed first.
    """

    queued: bool
    priority: int = 0
    after: Sequence[str] = ()
    offline: bool = False


def job_table(resolved: Resolved, submission: Submission, commands_from: int = 0) -> dict[str, Any]:
    """The table of a job that begins; ``resume_table`` adds to it.

    ``commands_from`` is the offset in commands.jsonl from which on this job is meant: what is asked while it is being
    started is for it, too.
    """
    job, launcher = resolved.job, resolved.specs["launcher"].name
    options = resolved.sections["launcher"].model_dump(mode="json", exclude_none=True)
    return {
        "since": round(time.time(), 3),
        **submission._asdict(),
        "after": list(submission.after),
        "device": resolved.engine.device,
        "threads": resolved.engine.threads,
        "nproc": job.nproc,
        "launcher": {"name": launcher, **options},
        "gpu_memory": parse_memory(job.gpu_memory) if job.gpu_memory else None,
        "max_restarts": job.max_restarts,
        "on_oom": job.on_oom,
        "notify": job.notify,
        "commands_from": commands_from,
    }


def resume_table(
    resolved: Resolved,
    submission: Submission,
    record: Mapping[str, Any],
    overrides: Mapping[str, Any] | None,
    allow_inexact: bool,
    commands_from: int,
) -> dict[str, Any]:
    """The table of a job that goes on. ``before`` is what its run.json said, in case that comes to nothing."""
    device = str(record.get("device", resolved.engine.device))
    return {
        **job_table(resolved, submission, commands_from),
        "device": device.partition(":")[0] if device.startswith("cuda") else device,
        "resume": True,
        "overrides": dict(overrides or {}),
        "allow_inexact": allow_inexact,
        "before": {key: record.get(key) for key in ("state", "reason", "result")},
    }
