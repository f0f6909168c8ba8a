"""What happened in a run that its curves may show: settings changed, resumes, the best checkpoint, its origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dlkit.events import Checkpointed, Commanded, Event, Forked, Resumed
from dlkit.present.numbers import number


class Moment(NamedTuple):
    """``kind`` is ``set``, ``resumed``, ``best`` or ``forked``; ``text`` says it in a few words."""

    step: int
    kind: str
    text: str


def moments(events: Sequence[Event], origin: str = "") -> list[Moment]:
    """In the order of their steps. ``origin`` is what the run started from (``engine.init_from``), empty if from
    nothing. Of checkpoints the best alone counts: each one before it was the best for a while."""
    found = [Moment(0, "forked", f"from {origin}")] if origin else []
    best: Moment | None = None
    for event in events:
        match event:
            case Commanded(action="set", refused=""):
                found.append(Moment(event.step, "set", f"{event.key.rpartition('.')[2]} {_word(event.value)}"))
            case Forked():
                found.append(Moment(event.from_step, "forked", f"from {event.parent}"))
            case Resumed():
                found.append(Moment(event.from_step, "resumed", "resumed" if event.exact else "resumed, not exactly"))
            case Checkpointed(best=True):
                best = Moment(event.step, "best", "best")
    return sorted([*found, *([best] if best else [])], key=lambda moment: moment.step)


def _word(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)
