"""Why a run failed, in words: for its log, for people, and for a supervisor that decides whether to try again."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

from dlkit.engine.build import Job
from dlkit.engine.cause import cause_of
from dlkit.engine.columns import NonFiniteMetric
from dlkit.engine.device import is_out_of_memory
from dlkit.engine.progress import Reached
from dlkit.errors import ComponentError, DlkitError
from dlkit.json_types import JsonObject
from dlkit.runs import opening
from dlkit.runs.checkpoints import complete


def explain(error: BaseException, run: Path, job: Job | None) -> str:
    """The reason of a failure, with the last good checkpoint."""
    good = complete(run)
    if job is None and not good:  # nothing was trained, so there is nothing that is safe or lost
        return str(error) if isinstance(error, DlkitError) else f"{type(error).__name__}: {error}"
    last = f"last good checkpoint: step {good[-1].step}" if good else "no checkpoint was written before"
    # The position lets somebody look at the very batch: order and augmentation are functions of epoch and batch.
    if isinstance(error, NonFiniteMetric) and job is not None:
        epoch = job.course.epoch_of(error.step - 1)
        batch = (error.step - 1 - job.course.start_of(epoch)) * job.resolved.engine.accumulate
        return f"{error} (epoch {epoch}, batch {batch}); {last}"
    if _is_out_of_memory(error, job):
        where = f" on {job.placement.name}" if job is not None else ""
        return f"out of memory{where}: try a smaller --batch-size, --accumulate, or --on-oom halve; {last}"
    if isinstance(error, OSError):
        return f"could not write: {error.strerror or error}; {last}"
    return f"{error}; {last}" if isinstance(error, DlkitError) else f"{type(error).__name__}: {error}; {last}"


def details(error: BaseException) -> str:
    """The traceback of what nobody foresaw; expected errors say all in their text."""
    if isinstance(error, ComponentError) and error.__cause__ is not None:
        error = error.__cause__
    elif isinstance(error, (DlkitError, OSError)):
        return ""
    return "".join(traceback.format_exception(error))


def cause(error: BaseException, job: Job | None) -> JsonObject:
    """The same as data (``cause_of``); of an error that cannot be looked into, that it was one."""
    try:
        return cause_of(error, job)
    # The run's boundary: it is called where memory or a device has just failed, and the end must be recorded.
    except Exception:
        return {"kind": "error", "error": type(error).__name__}


def told(error: BaseException, run: Path, job: Job | None) -> tuple[str, str, JsonObject]:
    """All three: the reason, the traceback, and both as data."""
    return explain(error, run, job), details(error), cause(error, job)


def report(path: Path, error: BaseException, run: Path, job: Job | None, reached: Reached | None = None) -> None:
    """Leave a failure's reason for the supervisor, who decides whether to try again or to end the run."""
    found = {
        "reason": explain(error, run, job),
        "traceback": details(error),
        "cause": cause(error, job),
        "kind": _kind(error, job),
        "exit_code": error.exit_code if isinstance(error, DlkitError) else 1,
        **(reached or {}),
    }
    opening.write(path.parent, path.name, json.dumps(found, allow_nan=False).encode())


def _kind(error: BaseException, job: Job | None) -> str:
    """``memory``, ``peer`` (another process is gone), ``final`` (trying again cannot help), or ``error``."""
    if _is_out_of_memory(error, job):
        return "memory"
    # Backends have no class of error for a peer that is gone: Gloo says so in a RuntimeError's text.
    if type(error).__module__.startswith("torch.distributed") or "gloo" in str(error).lower() or "NCCL" in str(error):
        return "peer"
    foreseen = isinstance(error, DlkitError) and not isinstance(error, ComponentError)
    return "final" if foreseen else "error"


def _is_out_of_memory(error: BaseException, job: Job | None) -> bool:
    """As the run's device tells it; before there is one, as any does."""
    return is_out_of_memory(error) if job is None else job.placement.device.is_out_of_memory(error)
