"""What a run's screen says of commands: why one cannot be given now, and which options were changed."""

from __future__ import annotations

from collections.abc import Iterable

from dlkit.events import Commanded, Event
from dlkit.jobs.requests import Refusal, refusal
from dlkit.monitor.view import RunView


def why_not(view: RunView, action: str) -> str:
    """Why a command cannot be given, and which key does what can be done; empty if it can."""
    found, name = refusal(view.state, view.record, action), view.run.id
    if found is None:
        return ""
    if found.kind == "newer":
        return f"{name} was written by a newer dlkit: it can be looked at, not commanded"
    if found.kind == "starting" and found.state != "queued":
        return f"{name} is being started: ask again when it trains"
    return f"{name} is {found.state or 'not read yet'}, not running{_instead(found)}"


def _instead(found: Refusal) -> str:
    match found.kind:
        case "queued":
            return ": x takes it out of the queue"
        case "starting":
            return ": it is being started"
        case "completed":
            return ": r trains it longer"
        case "foreign":
            return ": r starts it"
        case "ended" | "interrupted":
            return ": r goes on with it"
    return ""


def changes(events: Iterable[Event]) -> dict[str, Commanded]:
    """Key → the last ``set`` that was obeyed."""
    return {e.key: e for e in events if isinstance(e, Commanded) and e.action == "set" and not e.refused}
