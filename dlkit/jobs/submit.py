"""Handing a job over: a run's folder that says ``queued``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved
from dlkit.config_file import to_toml
from dlkit.errors import RunError, UsageError
from dlkit.interpreter import A_CORE
from dlkit.jobs.allocate import Need, kind, machine_now, unshareable
from dlkit.jobs.estimating import settled
from dlkit.jobs.job_record import Submission, new_job, resumed_job
from dlkit.runs import own
from dlkit.runs.estimates import Estimate
from dlkit.runs.files import file_size, write_text
from dlkit.runs.folder import RunFolder, create
from dlkit.runs.init_from import pinned_as_far_as_known
from dlkit.runs.lock import RunLock, holder
from dlkit.runs.naming import checked_name
from dlkit.runs.origin import keep_environment, origin
from dlkit.runs.run_record import RunRecord
from dlkit.runs.stored import readable, stored_config
from dlkit.runs.workspace import KEY


class TrialOf(NamedTuple):
    """Whose trial a run is: the study's id, the trial's number, and the id that the run is to have."""

    study: str
    number: int
    run: str


def submit(
    catalog: Catalog,
    resolved: Resolved,
    workspace: Path,
    submission: Submission,
    *,
    name: str = "",
    trial: TrialOf | None = None,
    estimate: Estimate | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> RunFolder:
    """Make the folder of a run that somebody else is to start. Nothing is built; the options are valid already.

    ``estimate``: what is known of how long it takes, for the record. ``say`` hears what ``gpu_memory = "auto"`` means.
    """
    name = checked_name(name)
    refuse_unfit(resolved, workspace, submission)
    resolved, told = settled(resolved, workspace, say)
    resolved = pinned_as_far_as_known(resolved, workspace)
    model = resolved.specs["model"].name
    record: RunRecord = {
        "name": name,
        "state": "queued",
        "created": round(time.time(), 3),
        **origin(catalog, resolved),
        "job": new_job(resolved, submission),
        "device": resolved.engine.device,  # as asked for: lists show it until the run knows where it is
    }
    if (known := told or estimate) is not None:
        record["estimate"] = known.record()
    if trial is not None:
        record |= {"study": trial.study, "trial": trial.number}
    identity = trial.run if trial is not None else ""
    try:
        fill = partial(keep_environment, resolved)
        return create(workspace / "runs", resolved.task.name, model, record, to_toml(resolved), identity, fill)
    except OSError as error:
        raise RunError(f"cannot make a run in {workspace}: {error.strerror or error}") from error


def refuse_unfit(resolved: Resolved, workspace: Path, submission: Submission) -> None:
    """UsageError or RunError for what this machine, or the workspace's queue, cannot start."""
    _refuse_unshareable(resolved)
    if os.access(workspace, os.W_OK):  # else no run can be made there, which is said when that is tried
        _refuse_without_key(workspace / "runs" / "new", submission)


def resubmit(
    catalog: Catalog,
    run: RunFolder,
    submission: Submission,
    *,
    overrides: Layer | None = None,
    orders: Sequence[Layer] = (),
    allow_inexact: bool = False,
) -> None:
    """Say of a run that it is to go on; RunError if somebody writes it, UsageError if there is nothing left to do.

    ``overrides`` are options of the engine, ``orders`` what holds of those that it was stored with (``runs.orders``).
    """
    try:
        with RunLock(run.lock):  # both parts: it cannot be handed on while an orphan of its last job still writes
            record = readable(run)
            refuse_queued(run, record)
            resolved = stored_config(catalog, run, record, overrides, orders)
            resolved, _ = settled(resolved, run.path.parent.parent)
            if overrides is None and record.get("state") == "completed":
                hint = "give --epochs or --steps to go on"
                raise UsageError(f"{run.id} is complete: {hint}").hinting(hint)
            _refuse_unshareable(resolved)
            _refuse_without_key(run.path, submission)
            since = file_size(run.commands)  # what was asked of the job that has ended is not for this one
            changes = overrides.table("engine") if overrides is not None else {}
            table = resumed_job(resolved, submission, record, changes, allow_inexact, since)
            if orders:  # before the state, so that nobody starts it with the orders that were dropped
                write_text(run.config, to_toml(stored_config(catalog, run, record, orders=orders)))
            run.update(**own.marks_again(run.path, record, state="queued", reason="", result=None, job=table))
    except BlockingIOError as error:
        raise RunError(f"{run.id} is running (process {holder(run.lock)})") from error


def refuse_queued(run: RunFolder, record: RunRecord) -> None:
    """RunError for a job that its workspace has in its queue. A foreign one only says so."""
    if record.get("state") == "queued" and own.is_own_job(run.path, record) is not False:
        raise RunError(f"{run.id} is queued already")


def _refuse_without_key(run: Path, submission: Submission) -> None:
    """RunError where a job could be put into the queue, and would be taken for a foreign one."""
    if submission.queued and own.own_key(run) is None and (workspace := own.workspace_of(run)) is not None:
        raise RunError(
            f"{workspace / KEY} may not be read by you, so that the queue would take this job for a stranger's: "
            "have its owner give it to your group (chgrp, chmod g+r)"
        )


def _refuse_unshareable(resolved: Resolved) -> None:
    """UsageError where this machine has no device for each process, as far as that is known without torch."""
    nproc = resolved.job.nproc
    if nproc == 1:
        return
    need, machine = Need(resolved.engine.device, nproc), machine_now(1)
    why = unshareable(need, machine)
    most = A_CORE * (os.cpu_count() or 1)
    # A launcher of somebody's own may have other machines' cores.
    if nproc > most and resolved.specs["launcher"].name == "torchrun" and kind(need, machine) == "cpu":
        why = f"they would share {os.cpu_count()} cores and the memory of this machine: give at most {most}"
    if why:
        raise UsageError(f"job.nproc = {nproc}: {why}")
