"""Handing a job over: a run's folder that says ``queued``, and a worker that outlives this process."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved
from dlkit.config_file import to_toml
from dlkit.errors import RunError, UsageError
from dlkit.jobs.detach import detach
from dlkit.jobs.table import Submission, job_table, resume_table
from dlkit.runs.checkpoints import choose
from dlkit.runs.files import file_size
from dlkit.runs.folder import ENDED, RunFolder, create, current_state
from dlkit.runs.index import find_run
from dlkit.runs.lock import RunLock, holder
from dlkit.runs.origin import origin
from dlkit.runs.stored import readable, stored_config


def submit(
    catalog: Catalog, resolved: Resolved, workspace: Path, submission: Submission, *, name: str = ""
) -> RunFolder:
    """Make the folder of a run that somebody else is to start. Nothing is built; the options are valid already."""
    resolved = _pinned(resolved, workspace)
    model = resolved.specs["model"].name
    record = {"name": name, "state": "queued", "created": round(time.time(), 3), **origin(catalog, resolved)}
    record["job"] = job_table(resolved, submission)
    record["device"] = resolved.engine.device
    try:
        return create(workspace / "runs", resolved.task.name, model, record, to_toml(resolved))
    except OSError as error:
        raise RunError(f"cannot make a run in {workspace}: {error.strerror or error}") from error


def _pinned(resolved: Resolved, workspace: Path) -> Resolved:
    """``init_from`` as the run's id: with the weights' hash if that run has ended, else they are taken at the start."""
    if not resolved.engine.init_from:
        return resolved
    reference, _, which = resolved.engine.init_from.partition("@")
    run = find_run(workspace, reference)
    pinned = f"{run.id}@{which}" if which else run.id
    if current_state(run, run.read()) in ENDED and not (len(which) == 16 and not which.isdigit()):
        pinned = f"{run.id}@{choose(run.path, which or 'best').sha256[:16]}"
    engine = resolved.engine.model_copy(update={"init_from": pinned})
    return Resolved(resolved.task, resolved.specs, {**resolved.sections, "engine": engine}, resolved.origins)


def resubmit(
    catalog: Catalog,
    run: RunFolder,
    submission: Submission,
    *,
    overrides: dict[str, Any] | None = None,
    allow_inexact: bool = False,
) -> None:
    """Say of a run that it is to go on; RunError if somebody writes it, UsageError if there is nothing left to do."""
    try:
        with RunLock(run.lock):
            record = readable(run)
            if record.get("state") == "queued":
                raise RunError(f"{run.id} is queued already")
            layer = Layer("flag", {"engine": overrides}) if overrides else None
            resolved = stored_config(catalog, run, record, layer)
            if not overrides and record.get("state") == "completed":
                raise UsageError(f"{run.id} is complete: give --epochs or --steps to go on")
            since = file_size(run.commands)
            table = resume_table(resolved, submission, record, overrides, allow_inexact, since)
            run.update(state="queued", reason="", result=None, job=table)
    except BlockingIOError as error:
        raise RunError(f"{run.id} is running (process {holder(run.lock)})") from error


def start_worker(run: RunFolder, *words: str, in_foreground: bool = False) -> subprocess.Popen[bytes]:
    """Start the run's worker in a new session; what it prints goes to output.log."""
    foreground = ["--foreground"] if in_foreground else []
    return detach("dlkit.jobs.worker", [str(run.path), *words, *foreground], run.output)
