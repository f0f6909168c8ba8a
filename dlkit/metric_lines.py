"""Lines of metrics as they stand in a log, for readers to whom an object a line is too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Required, TypedDict

from dlkit.shapes import STEPS


def metric_steps(first: int, count: int, every: int = 1) -> range:
    """The steps that a line of metrics has values of. ValueError if ``every`` is 0."""
    return range(first, first + count * every, every)


def last_of(steps: range) -> int:
    """The last of the steps of a line; what is before the first if it has none."""
    return steps.stop - steps.step


class MetricsLine(TypedDict, total=False):
    """A parsed line of metrics, for readers to whom an object a line is too much. Damaged ones may hold anything.

    ``clock`` is what logs of older versions call ``time_left``; numbers that are not finite are text.
    """

    seq: int
    time: float
    first: Required[int]
    count: Required[int]
    values: Required[Mapping[str, Sequence[float | str]]]
    every: int
    epoch: int
    rate: float
    time_left: float | None
    clock: float | None


def steps_of(line: MetricsLine) -> range:
    """Its steps. What a damaged line raises: AttributeError, KeyError, TypeError, ValueError."""
    first, count, every = line["first"], line["count"], line.get("every", 1)
    # A line of 90 bytes may name any number of steps: each must have its values.
    if any(len(column) != count for column in line["values"].values()):
        raise ValueError(f"{count} steps without as many values")
    if not (type(first) is type(count) is type(every) is int and first >= 0 and count >= 0 and every >= 1):
        raise ValueError("steps are whole numbers from 0")
    if first + count * every > STEPS:
        raise ValueError(f"a step beyond {STEPS}")
    return metric_steps(first, count, every)


def time_left_of(line: MetricsLine) -> float | None:
    return line.get("time_left", line.get("clock"))
