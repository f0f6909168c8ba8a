"""The course of a metric over a run's steps, as its log has it; those of several runs as one mean with its spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dlkit.events import MetricsLogged
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import read_events

Floats = npt.NDArray[np.float64]
Course = tuple[npt.NDArray[np.int64] | Floats, Floats]
"""Steps, or seconds, ascending; and a value at each."""
MOST = 4096
"""Points of a mean: a line has a few hundred columns."""


class MeanCourse(NamedTuple):
    """``x`` ascending; ``mean`` at each over the runs that have come so far; ``low`` and ``high`` are one standard
    deviation (n − 1) below and above, NaN where a single run tells none."""

    x: Floats
    mean: Floats
    low: Floats
    high: Floats


def course_of(run: RunFolder, metric: str) -> Course:
    """What holds of a run's log; empty where it has no such metric. RunError: the log is there, and cannot be read."""
    events = [event for event in read_events(run.events) if isinstance(event, MetricsLogged)]
    found = [point for event in events for point in event.points(metric)]
    return np.array([step for step, _ in found], np.int64), np.array([value for _, value in found], np.float64)


def mean_course(courses: Sequence[Course]) -> MeanCourse:
    """Each course between its own ends, linearly between its points; finite values alone."""
    there = [(x[np.isfinite(y)].astype(np.float64), y[np.isfinite(y)]) for x, y in courses]
    there = [(x, y) for x, y in there if len(x)]
    if not there:
        return MeanCourse(*(np.empty(0) for _ in range(4)))
    x = np.unique(np.concatenate([xs for xs, _ in there]))
    if len(x) > MOST:
        x = x[np.linspace(0, len(x) - 1, MOST).round().astype(int)]
    rows = np.stack([np.interp(x, xs, ys, left=np.nan, right=np.nan) for xs, ys in there])
    known = np.isfinite(rows)
    n = known.sum(0)
    mean = np.where(known, rows, 0.0).sum(0) / n
    squares = (np.where(known, rows - mean, 0.0) ** 2).sum(0)
    spread = np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)
    return MeanCourse(x, mean, mean - spread, mean + spread)
