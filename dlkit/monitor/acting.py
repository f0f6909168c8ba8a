"""What can be done with a run from outside: asked of it while it lives, done to its folder when it does not."""

from __future__ import annotations

from typing import Any

from dlkit.catalog import Catalog
from dlkit.config import Layer
from dlkit.errors import RunError
from dlkit.jobs import handover
from dlkit.jobs.follow import state_now
from dlkit.jobs.queue import cancel
from dlkit.runs import commands
from dlkit.runs.folder import RunFolder

ALIVE = ("running", "paused")
RESUMABLE = ("stopped", "failed", "interrupted")


def stop(run: RunFolder) -> str:
    """End a job after its step, or take it out of the queue; what was done, in words. RunError if there is none."""
    state = state_now(run)
    if state == "queued" and run.read().get("job", {}).get("queued"):
        cancel(run)
        return f"{run.id}: taken out of the queue"
    if state not in ALIVE and state != "queued" and not state.startswith("unknown"):
        raise RunError(f"{run.id} is {state}, not running")
    append(run, "stop")
    return f"{run.id}: asked to stop; it writes a checkpoint first"


def append(run: RunFolder, action: str, key: str = "", value: object = None) -> str:
    """Ask something of a job; the command's id. RunError if it cannot be written."""
    try:
        return commands.append(run.commands, action, key, value)
    except OSError as error:
        raise RunError(f"{run.commands} cannot be written: {error.strerror or error}") from error


def resume(catalog: Catalog, run: RunFolder, *, queued: bool = False, overrides: dict[str, Any] | None = None) -> str:
    """Have a worker go on with a run, now or when a device is free; ``overrides`` are options of the engine, a new
    number of epochs say. DlkitError says why not."""
    layer = Layer("flag", {"engine": overrides}) if overrides else None
    how = handover.queued(run.path.parent.parent) if queued else handover.detached()
    handover.hand_over_again(catalog, run, how, overrides=layer)
    return f"{run.id}: {'queued' if queued else 'goes on'}"
