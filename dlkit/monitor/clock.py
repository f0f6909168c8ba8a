"""How long a run has been trained when it reached which step: its own time, without what lies between two attempts."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from dlkit.metric_lines import MetricsLine
from dlkit.monitor.history import Column, Points, Series
from dlkit.runs.rollback import Rollback

_HEAD = itemgetter("first", "count", "every", "time", "seq")
Seconds = npt.NDArray[np.float64]


class Clock:
    """``begin`` at the start of an attempt, ``take`` for its metrics in their order."""

    def __init__(self) -> None:
        self._column = Column()
        self._zero: float | None = None
        """The moment at which the run's own time would have been 0, had it gone on without a break."""

    @property
    def course(self) -> Series:
        """Steps with seconds, both ascending; a snapshot that never changes."""
        return self._column.series

    def begin(self, moment: float, step: int = 0, rollback: Rollback | None = None) -> None:
        """An attempt goes on from a step, which was reached when it was reached first."""
        if rollback is None:
            self._column = Column()
        else:
            self._column.roll_back(rollback)
        self._zero = moment - float(seconds_at(self.course, np.array([step]))[0])

    def take(self, records: Sequence[MetricsLine]) -> None:
        """Parsed lines that are whole; a step that was reached before stays with its first moment."""
        try:
            rows = list(map(_HEAD, records))
        except KeyError:  # what is left out has a default
            rows = [(r["first"], r["count"], r.get("every", 1), r.get("time", 0.0), r.get("seq", -1)) for r in records]
        heads = np.array(rows, np.float64).reshape(-1, 5)
        heads = heads[heads[:, 3] > 0]  # a line without a time tells of none
        steps, moments = (heads[:, 0] + (heads[:, 1] - 1) * heads[:, 2]).astype(np.int64), heads[:, 3]
        known = self.course
        last_step, last = (int(known.steps[-1]), float(known.values[-1])) if len(known.steps) else (0, 0.0)
        furthest = np.maximum.accumulate(np.concatenate(([last_step], steps)))
        new = steps > furthest[:-1]
        if not new.any():
            return
        if self._zero is None:  # a log without a beginning
            self._zero = float(moments[new][0])
        seconds = np.maximum.accumulate(np.maximum(moments[new] - self._zero, last))
        self._column.append(Points(steps[new], seconds, heads[new, 4].astype(np.int64)))


def seconds_at(course: Series, steps: npt.NDArray[np.int64]) -> Seconds:
    """When steps were reached, in seconds; between two known ones evenly, 0 at step 0."""
    found: Seconds = np.interp(steps, np.append(0, course.steps), np.append(0.0, course.values))
    return found
