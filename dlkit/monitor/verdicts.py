"""What can be said of a run that is followed: looked at again when enough has come to say something else."""

from __future__ import annotations

import time
from collections.abc import Sequence

from dlkit.diagnose import Record, Verdict, diagnose
from dlkit.diagnose.record import NOTHING, Course, checkpoints_of
from dlkit.diagnose.words import explained, headline
from dlkit.events import Event
from dlkit.monitor.view import RunView
from dlkit.runs.contents import load_sample, stored_sections

SECONDS = 5.0
"""How often a run that goes on is looked at: its verdicts change with its evaluations."""


class Verdicts:
    """``look()`` is called by whoever polls the view, after it; the rest may be read by another thread at any time."""

    def __init__(self, view: RunView) -> None:
        self.found: Sequence[Verdict] = ()
        self.headline = ""
        self._view = view
        self._seen: tuple[object, ...] = ()
        self._next = 0.0

    def look(self) -> bool:
        """Judge the run by what the view has read; whether it is now said otherwise."""
        view, now = self._view, time.monotonic()
        seen = (view.state, len(view.events), len(view.milestones))
        if view.behind or seen == self._seen or (seen[:1] == self._seen[:1] and now < self._next):
            return False
        self._seen, self._next = seen, now + SECONDS
        self.found = tuple(diagnose(record_of(view)))
        before, self.headline = self.headline, headline(self.found)
        return before != self.headline

    def text(self, width: int) -> str:
        """All of them, with their evidence and what to type."""
        return explained(self._view.run, self.found, width)


def record_of(view: RunView) -> Record:
    """What a view has read, for the rules."""
    run = view.run
    steps, best = checkpoints_of(run)
    events: list[Event] = [*view.events, *view.machine]

    def course(name: str) -> Course:
        try:
            return Course(*view.series(name))
        except KeyError:
            return NOTHING

    return Record(
        run=run,
        state=view.state,
        record=view.record,
        config=stored_sections(run),
        events=events,
        names=view.names,
        course=course,
        checkpoints=steps,
        best_checkpoint=best,
        sample=lambda file: load_sample(run, file),
    )
