"""Deleting a run with all it holds."""

from __future__ import annotations

import json
import os
import stat
import time
from contextlib import AbstractContextManager, nullcontext

from dlkit.errors import RunError, UsageError
from dlkit.runs import opening
from dlkit.runs.commands import somebody
from dlkit.runs.files import encode_json
from dlkit.runs.folder import RunFolder
from dlkit.runs.idle import check_idle
from dlkit.runs.lock import RunLock
from dlkit.runs.run_record import RunRecord

REMOVED = "removed.jsonl"
"""Beside the runs: those that were removed with a reason."""
LONGEST = 256
"""Bytes that a file's name has fewer than."""


def check_removable(run: RunFolder) -> None:
    """UsageError for a folder that is not a run, RunError for a run that somebody writes.

    An empty folder may be what is left of one.
    A link to a run elsewhere may be removed: itself, and not what it leads to.
    """
    if run.path.is_symlink():
        return
    if run.path.is_dir() and not os.access(run.path, os.R_OK | os.X_OK):
        raise RunError(f"{run.path}: Permission denied")
    its_own = any(os.path.lexists(path) for path in (run.record, run.config, run.events))
    if not its_own and os.listdir(run.path):  # noqa: PTH208  # a Path's own iterator stays open
        raise UsageError(f"{run.path} is not a run: it has no run.json, config.toml or events.jsonl")
    check_idle(run, _record(run))


def _record(run: RunFolder) -> RunRecord:
    """A damaged run may be removed too, and one of a newer format: only state and host matter, so it has none here."""
    try:
        record = run.read()
    except (OSError, ValueError):
        return {}
    record.pop("format", None)
    return record


def delete_run(run: RunFolder) -> None:
    """Out of sight in one step, then away: nobody ever meets half a run."""
    if run.path.is_symlink():
        run.path.unlink()
        return
    name = f".{run.id}.removed"
    # A folder's name may be as long as names get already.
    hidden = run.path.with_name(name if len(os.fsencode(name)) < LONGEST else f".{os.urandom(8).hex()}.removed")
    try:
        with _lock(run):
            run.path.rename(hidden)
        opening.remove_beside(hidden)
    except BlockingIOError as error:
        raise RunError(f"{run.id} is running; stop it first") from error
    except OSError as error:
        raise RunError(f"{run.id}: cannot be removed: {error}") from error


def note_removal(run: RunFolder, reason: str) -> str:
    """Put on the workspace's record why a run was removed, and by whom, where a ``reason`` was given; what kept that
    from being written, or nothing. The run's folder, where reasons are kept otherwise, is gone."""
    if not reason:
        return ""
    if run.path.parent.name != "runs":
        return f"{run.id} lay in no workspace: why it was removed is on no record"
    line = {"time": round(time.time(), 3), "by": somebody(), "run": run.id, "reason": reason}
    path = run.path.parent.parent.resolve() / REMOVED
    try:
        with os.fdopen(opening.open_beside(path, opening.APPEND), "ab", buffering=0) as file:
            file.write(encode_json(json.dumps(line, ensure_ascii=False) + "\n"))
    except OSError as error:
        return f"{run.id}: why it was removed is on no record: {error.strerror or error}"
    return ""


def _lock(run: RunFolder) -> AbstractContextManager[object]:
    """The run's lock; none where it is no file, which nobody can hold."""
    found = opening.status(run.path, run.lock.name)
    return RunLock(run.lock) if found is None or stat.S_ISREG(found.st_mode) else nullcontext()
