"""What the first screen tells of the runs: who runs now, who waits, and what ended since somebody looked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from dlkit.runs.folder import ENDED, Summary

RUNNING = ("running", "paused")
WAITING = ("queued", "foreign")
OVER = (*ENDED, "interrupted", "damaged")
LEAST = 3
"""Of each kind so many are shown, however little room there is."""


class Home(NamedTuple):
    """Each newest first, ``waiting`` as they came; ``ended``: since somebody looked; ``lately``: the others that ended.
    Of ``ended`` and ``lately`` together as many as there is room for; ``untold`` is how many of ``ended`` are left."""

    running: Sequence[Summary]
    waiting: Sequence[Summary]
    ended: Sequence[Summary]
    lately: Sequence[Summary]
    untold: int = 0


def home(runs: Sequence[Summary], since: float, seen: Collection[str], room: int) -> Home:
    """``runs`` newest first; ``since``: when somebody last looked, UTC seconds; ``seen``: runs opened after that;
    ``room``: lines for what has ended."""
    running = [run for run in runs if run.state in RUNNING or run.state.startswith("unknown")]
    waiting = [run for run in reversed(runs) if run.state in WAITING]
    over = sorted((run for run in runs if run.state in OVER), key=_end, reverse=True)
    ended = [run for run in over if _end(run) > since and run.id not in seen]
    shown = ended[: max(LEAST, room)]
    new = {run.id for run in ended}
    lately = [run for run in over if run.id not in new][: max(0 if ended else LEAST, room - len(shown))]
    return Home(running, waiting, shown, lately, len(ended) - len(shown))


def _end(run: Summary) -> float:
    return run.updated or run.created


def how_they_ended(runs: Sequence[Summary]) -> str:
    """``2 completed, 1 failed``, in the order in which somebody wants to know."""
    counts = {state: sum(run.state == state for run in runs) for state in ("failed", "interrupted", "damaged")}
    counts |= {state: sum(run.state == state for run in runs) for state in ("stopped", "completed")}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)
