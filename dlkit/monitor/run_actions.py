"""What can be done with a run from outside: asked of it while it lives, done to its folder when it does not.

Of a run that lies on another machine all of it is done over there, by the dlkit there.
"""

from __future__ import annotations

from dlkit.catalog import Catalog
from dlkit.config import Layer
from dlkit.jobs import handover
from dlkit.jobs.follow import LOST, state_now
from dlkit.jobs.queue import cancel
from dlkit.jobs.requests import Refused, refusal, send
from dlkit.json_types import Settings
from dlkit.remote.orders import order, value_word
from dlkit.runs import labelling, mirrors, naming, removal
from dlkit.runs.folder import RunFolder

ALIVE = ("running", "paused")
RESUMABLE = ("stopped", "failed", "interrupted", "foreign")


def stop(run: RunFolder) -> str:
    """End a job after its step, or take it out of the queue; what was done, in words. RunError if there is none."""
    if mirrors.name_of(run.path):
        if state_now(run) in ("queued", "foreign"):
            order(run, "queue cancel")
            return f"{mirrors.called(run.path)}: taken out of the queue"
        order(run, "stop")
        return f"{mirrors.called(run.path)}: asked to stop; it writes a checkpoint first"
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
    if mirrors.name_of(run.path):
        words = [word for key, value in (overrides or {}).items() for word in (f"--{key}", value_word(value))]
        order(run, "resume", *words, "--queue" if queued else "--detach")
        return f"{mirrors.called(run.path)}: {'queued' if queued else 'goes on'}"
    layer = Layer("flag", {"engine": overrides}) if overrides else None
    how = handover.queued(run.path.parent.parent) if queued else handover.detached()
    said: list[str] = []
    handover.hand_over_again(catalog, run, how, overrides=layer, say=said.append)
    return "\n".join([f"{run.id}: {'queued' if queued else 'goes on'}", *said])


def ask(run: RunFolder, action: str, key: str = "", value: object = None) -> str:
    """Ask something of a job that runs; the command's id, by which its answer is known. DlkitError says why not."""
    if not mirrors.name_of(run.path):
        return send(run, action, key, value)
    if action in ("sample", "checkpoint"):
        told = order(run, "ask", action)
    elif key:
        told = order(run, action, key, *([value_word(value)] if value is not None else ["none"]))
    else:
        told = order(run, action)
    return str(told.get("id", ""))


def rename(run: RunFolder, text: str) -> str:
    """Give it a name; what was done, in words."""
    if not mirrors.name_of(run.path):
        return naming.rename(run, text)
    order(run, "rename", text)
    return f"{mirrors.called(run.path)}: called {text!r}"


def retag(run: RunFolder, words: str) -> str:
    """Have it have these tags and no others."""
    if not mirrors.name_of(run.path):
        return labelling.retag(run, words)
    told = order(run, "tag").get("tags")
    there, wanted = told if isinstance(told, list) else [], words.replace(",", " ").split()
    taken = [word for old in there if old not in wanted for word in ("--remove", old)]
    order(run, "tag", *(word for word in wanted if word not in there), *taken)
    return f"{mirrors.called(run.path)}: {' '.join(wanted) or 'no tags'}"


def note(run: RunFolder, text: str) -> str:
    """Write down what somebody thinks of it."""
    if not mirrors.name_of(run.path):
        return labelling.noted(run, text)
    order(run, "note", text)
    return f"{mirrors.called(run.path)}: noted"


def remove(run: RunFolder) -> str:
    """Delete it, with all that it has."""
    if mirrors.name_of(run.path):
        order(run, "remove", "--yes")
    else:
        removal.delete_run(run)
    return f"{mirrors.called(run.path)}: removed"
