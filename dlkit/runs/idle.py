"""Whether anybody writes a run: what changes a run as a whole asks this first."""

from __future__ import annotations

import socket

from dlkit.errors import RunError
from dlkit.runs.folder import FORMAT, RunFolder
from dlkit.runs.lock import holder
from dlkit.runs.run_record import RunRecord


def check_idle(run: RunFolder, record: RunRecord) -> None:
    """RunError if somebody writes this run, or may be doing so on another host, or a newer dlkit made it."""
    if (process := holder(run.lock)) is not None:
        raise RunError(f"{run.id} is running (process {process}); stop it first")
    # A lock on a shared disk says nothing about processes of another host: the record's word is all there is.
    if record.get("state") in ("running", "paused") and record.get("host") not in (None, socket.gethostname()):
        raise RunError(f"{run.id} says it runs on {record['host']}: do this there")
    made_by = record.get("format", 0)
    if isinstance(made_by, int) and made_by > FORMAT:
        raise RunError(f"{run.id} was written by a newer dlkit (format {made_by}); this one knows {FORMAT}")
