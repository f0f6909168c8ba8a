"""How a run goes, as a line of a list shows it: the course of its primary metric, its pace, its newest sample."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from dlkit.events import likely_end
from dlkit.runs.folder import Summary

TREND = 64
"""Values of a course that are kept: no row has more cells for it."""
PACE_SECONDS = 30.0
"""What the pace is taken over, evaluations and all."""


class Pulse(NamedTuple):
    """``trend``: values of the primary metric, oldest first, at most ``TREND``, each for as many as it stands for;
    ``pace`` in steps a second, 0 where it is not known; ``time_left``: seconds until ``engine.max_time`` ends it, None:
    it does not; ``sample``: file of the newest one, relative to the run's folder, or empty."""

    trend: tuple[float, ...] = ()
    pace: float = 0.0
    time_left: float | None = None
    sample: str = ""


class Pace:
    """Steps a second over the last half minute."""

    def __init__(self) -> None:
        self._passed: deque[tuple[float, int]] = deque()

    def reached(self, step: int, moment: float) -> None:
        """A step was taken at this moment. One that lies behind the last begins anew: a resume went back."""
        if self._passed and step < self._passed[-1][1]:
            self._passed.clear()
        self._passed.append((moment, step))
        while self._passed[0][0] < moment - PACE_SECONDS and len(self._passed) > 2:
            self._passed.popleft()

    @property
    def rate(self) -> float:
        if len(self._passed) < 2:
            return 0.0
        (since, first), (now, last) = self._passed[0], self._passed[-1]
        return (last - first) / (now - since) if now > since and last > first else 0.0


def share(run: Summary, pulse: Pulse) -> float | None:
    """How much of it is done, 0 to 1; None where its length is not known."""
    ends = likely_end(run.total_steps, run.step, pulse.pace, pulse.time_left)
    return max(0.0, min(1.0, run.step / ends)) if ends > 0 else None


def seconds_left(run: Summary, pulse: Pulse) -> float | None:
    """Until it will be complete; None where nothing tells. Before there is a pace, by all that it has run."""
    pace = pulse.pace or (run.step / run.seconds if run.seconds > 0 else 0.0)
    ends = likely_end(run.total_steps, run.step, pace, pulse.time_left)
    return (ends - run.step) / pace if pace > 0 and ends > run.step else None
