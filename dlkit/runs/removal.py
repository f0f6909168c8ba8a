"""Deleting a run with all it holds."""

from __future__ import annotations

import shutil
from pathlib import Path

from dlkit.errors import RunError, UsageError
from dlkit.json_types import JsonObject
from dlkit.runs.folder import RunFolder
from dlkit.runs.idle import check_idle
from dlkit.runs.lock import RunLock


def check_removable(run: RunFolder) -> None:
    """UsageError for a folder that is not a run, RunError for a run that somebody writes."""
    if not any(path.is_file() for path in (run.record, run.config, run.events)):
        raise UsageError(f"{run.path} is not a run: it has no run.json, config.toml or events.jsonl")
    check_idle(run, _record(run))


def _record(run: RunFolder) -> JsonObject:
    """A damaged run may be removed too; one of a newer format as well: only its state and host matter."""
    try:
        record = run.read()
    except (OSError, ValueError):
        return {}
    return {key: record[key] for key in ("state", "host") if key in record}


def delete_run(run: RunFolder) -> None:
    """Out of sight in one step, then away: nobody ever meets half a run."""
    hidden = run.path.with_name(f".{run.id}.removed")
    try:
        with RunLock(run.lock):
            run.path.rename(hidden)
        shutil.rmtree(hidden)
    except BlockingIOError as error:
        raise RunError(f"{run.id} is running; stop it first") from error
    except OSError as error:
        raise RunError(f"{run.id}: cannot be removed: {error}") from error


def folder_size(path: Path) -> int:
    """Bytes of all files below; links are not followed."""
    return sum(p.lstat().st_size for p in path.rglob("*") if p.is_file() or p.is_symlink())
