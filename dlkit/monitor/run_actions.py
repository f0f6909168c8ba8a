"""What can be done with a run from outside: asked of it while it lives, done to its folder when it does not."""

from __future__ import annotations

from dlkit.catalog import Catalog
from dlkit.config import Layer
from dlkit.jobs import handover
from dlkit.jobs.follow import LOST, state_now
from dlkit.jobs.queue import cancel
from dlkit.jobs.requests import Refused, refusal, send
from dlkit.json_types import Settings
from dlkit.runs.folder import RunFolder

ALIVE = ("running", "paused")
RESUMABLE = ("stopped", "failed", "interrupted", "foreign")


def stop(run: RunFolder) -> str:
    """End a job after its step, or take it out of the queue; what was done, in words. RunError if there is none."""
    state = state_now(run)
    found = refusal(state, {} if state in LOST else run.read(), "stop")
    if found is not None and found.kind in ("queued", "foreign"):
        cancel(run)
        return f"{run.id}: taken out of the queue"
    if found is not None and found.kind != "starting":  # a stop that comes before it trains is for its supervisor
        raise Refused(run, found)
    send(run, "stop")
    return f"{run.id}: asked to stop; it writes a checkpoint first"


def resume(catalog: Catalog, run: RunFolder, *, queued: bool = False, overrides: Settings | None = None) -> str:
    """Have a worker go on with a run, now or when a device is free; ``overrides`` are options of the engine, a new
    number of epochs say. DlkitError says why not."""
    layer = Layer("flag", {"engine": overrides}) if overrides else None
    how = handover.queued(run.path.parent.parent) if queued else handover.detached()
    said: list[str] = []
    handover.hand_over_again(catalog, run, how, overrides=layer, say=said.append)
    return "\n".join([f"{run.id}: {'queued' if queued else 'goes on'}", *said])
