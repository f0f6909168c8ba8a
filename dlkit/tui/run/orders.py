"""What was asked of a running job: whether it can be asked at all, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dlkit.events import Commanded, Event
from dlkit.monitor.view import RunView

PATIENCE = 10.0
"""Seconds after which a job that has not answered is said not to have."""


class Order(NamedTuple):
    """A command on its way, and until when (monotonic seconds) its answer is waited for in silence."""

    action: str
    deadline: float


class Orders:
    """The commands sent from one screen."""

    def __init__(self) -> None:
        self._waiting: dict[str, Order] = {}
        self._late: dict[str, Order] = {}

    def sent(self, identity: str, action: str, now: float) -> None:
        self._waiting[identity] = Order(action, now + PATIENCE)

    def answered(self, events: Sequence[Event]) -> list[Commanded]:
        """Answers to what was sent, each given once."""
        if not (self._waiting or self._late):
            return []
        found = [e for e in events if isinstance(e, Commanded) and (e.id in self._waiting or e.id in self._late)]
        for event in found:
            self._waiting.pop(event.id, None)
            self._late.pop(event.id, None)
        return found

    def overdue(self, now: float) -> list[str]:
        """The actions whose time has just run out; the job may still obey them."""
        late = {identity: order for identity, order in self._waiting.items() if now >= order.deadline}
        self._late |= late
        self._waiting = {identity: order for identity, order in self._waiting.items() if identity not in late}
        return [order.action for order in late.values()]

    def drop(self) -> None:
        """The run is over: nothing will answer."""
        self._waiting.clear()
        self._late.clear()


def refusal(view: RunView, action: str) -> str:
    """Why a command cannot be given, and what can be done; empty if it can."""
    state, name = view.state, view.run.id
    if state.endswith("(newer format)"):
        return f"{name} was written by a newer dlkit: it can be looked at, not commanded"
    if state in ("running", "paused"):
        begun = view.record.get("pid") or action == "stop"
        return "" if begun else f"{name} is being started: ask again when it trains"
    if state.startswith("unknown"):
        return ""  # a shared disk carries commands to other hosts too
    return f"{name} is {state or 'not read yet'}, not running{_instead(view, state)}"


def _instead(view: RunView, state: str) -> str:
    if state == "queued":
        return ": x takes it out of the queue" if queued(view.record) else ": it is being started"
    if state == "completed":
        return ": r trains it longer"
    return ": r goes on with it" if state in ("stopped", "failed", "interrupted") else ""


def queued(record: Mapping[str, object]) -> bool:
    """Whether it waits in the queue; a job that was just handed to a worker says queued too."""
    job = record.get("job")
    return isinstance(job, Mapping) and bool(job.get("queued"))


def changes(events: Iterable[Event]) -> dict[str, Commanded]:
    """Key → the last ``set`` that was obeyed."""
    return {e.key: e for e in events if isinstance(e, Commanded) and e.action == "set" and not e.refused}
