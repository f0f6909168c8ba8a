"""The course of a run's metrics as growing arrays: appended to, cut back by a resume, read by other threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dlkit.metric_lines import MetricsLine
from dlkit.monitor.json_lines import BAD
from dlkit.runs.rollback import Rollback
from dlkit.shapes import LATEST, STEPS

_HEAD = itemgetter("first", "count", "every", "seq")


class Series(NamedTuple):
    """One metric's course: ``steps`` ascending, ``values`` as many; a snapshot that never changes."""

    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


class Points(NamedTuple):
    """Points to be appended: for each its step, its value, and the ``seq`` of its event."""

    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    seqs: npt.NDArray[np.int64]


class Column:
    """One metric. Arrays double when they are full; what lies below ``_count`` is never written again, so that a
    snapshot is a view."""

    def __init__(self) -> None:
        self._data = _empty(256)
        self._count = 0
        self._ascending = True
        self.series = _snapshot(self._data, 0, ascending=True)
        """As of the last call."""

    def append(self, points: Points) -> None:
        """Points of the next events."""
        end = self._count + len(points.steps)
        self._reserve(end)
        for column, new in zip(self._data, points, strict=True):
            column[self._count : end] = new
        since = self._data.steps[max(0, self._count - 1) : end]
        self._ascending &= bool((since[1:] >= since[:-1]).all())
        self._count = end
        self._show()

    def roll_back(self, rollback: Rollback) -> bool:
        """Leave out what a resume makes void; whether any points are left."""
        count = self._count
        steps, values, seqs = self._data.steps[:count], self._data.values[:count], self._data.seqs[:count]
        kept = rollback.keeps(steps, seqs)
        if not kept.all():  # into new arrays: somebody may be drawing a snapshot of the old ones
            self._data = Points(steps[kept], values[kept], seqs[kept])
            self._count = len(self._data.steps)
            self._show()
        return self._count > 0

    def _reserve(self, count: int) -> None:
        if count > len(self._data.steps):
            grown = _empty(max(count, 2 * len(self._data.steps)))
            for column, old in zip(grown, self._data, strict=True):
                column[: self._count] = old[: self._count]
            self._data = grown

    def _show(self) -> None:
        self.series = _snapshot(self._data, self._count, ascending=self._ascending)


class History:
    """All metrics of a run, in the order of their first appearance."""

    def __init__(self) -> None:
        self._columns: dict[str, Column] = {}
        self.names: Sequence[str] = ()

    def append(self, records: Sequence[MetricsLine]) -> Sequence[MetricsLine]:
        """Parsed lines of metrics events; gives those that are. One that is none is passed over."""
        try:
            gathered = _gather(records)
        except BAD:
            if len(records) > 1:
                return [record for one in records for record in self.append([one])]
            return []
        for name, points in gathered.items():
            self._columns.setdefault(name, Column()).append(points)
        self.names = tuple(self._columns)
        return records

    def roll_back(self, rollback: Rollback) -> None:
        """Leave out what a resume makes void."""
        self._columns = {name: column for name, column in self._columns.items() if column.roll_back(rollback)}
        self.names = tuple(self._columns)

    def series(self, name: str) -> Series:
        """KeyError if there is no such metric."""
        return self._columns[name].series

    def last(self) -> dict[str, float]:
        """The last value of every metric."""
        return {name: float(column.series.values[-1]) for name, column in self._columns.items()}


def _gather(records: Sequence[MetricsLine]) -> dict[str, Points]:
    """The points of all records by metric. Whole columns at a time: with few points a record, what is done once a
    record in Python takes most of the time that a long run needs to open."""
    _look_at_moments(records)
    heads = _heads(records)
    values = [record["values"] for record in records]
    if any(type(found) is not dict for found in values):
        raise ValueError("values are no table")
    columns = {name: _column(heads, values, name) for name in dict.fromkeys(chain.from_iterable(values))}
    return {name: points for name, points in columns.items() if len(points.values)}


def _heads(records: Sequence[MetricsLine]) -> npt.NDArray[np.int64]:
    """[N,4]: first step, count, distance of steps, and seq of N records."""
    try:
        rows = list(map(_HEAD, records))
    except KeyError:  # what is left out has a default
        rows = [(r["first"], r["count"], r.get("every", 1), r.get("seq", -1)) for r in records]
    heads = np.array(rows).reshape(-1, 4)
    if heads.dtype != np.int64:  # asked of all at once: line by line it doubles the time that a long log takes
        raise ValueError("steps are whole numbers from 0")
    ends = heads[:, 0] + heads[:, 1] * heads[:, 2].astype(np.float64)
    if (heads[:, :2] < 0).any() or (heads[:, 2] < 1).any() or (ends > STEPS).any():
        raise ValueError("steps are whole numbers from 0")
    return heads


def _look_at_moments(records: Sequence[MetricsLine]) -> None:
    """ValueError unless times and epochs are what ``events.from_record`` takes for one."""
    times = np.array([record.get("time", 0.0) for record in records])
    epochs = np.array([record.get("epoch", 0) for record in records])
    if times.ndim + epochs.ndim != 2 or times.dtype.kind not in "if" or epochs.dtype.kind != "i":
        raise ValueError("a time or an epoch is no number")
    if not ((times >= 0) & (times < LATEST)).all() or not ((epochs >= 0) & (epochs <= STEPS)).all():
        raise ValueError("a time or an epoch is out of range")


def _column(heads: npt.NDArray[np.int64], values: Sequence[Mapping[str, Sequence[float | str]]], name: str) -> Points:
    """One metric's points in those records that have it. "nan" and "inf" are numbers."""
    having = [name in record for record in values]
    if not all(having):
        heads = heads[having]
    there = [record[name] for record in values if name in record]
    if any(type(column) is not list for column in there):
        raise ValueError("a column is no list")
    counts = np.fromiter(map(len, there), np.int64, len(there))
    if (counts != heads[:, 1]).any():
        raise ValueError("not as many values as steps")
    return _points(heads, counts, list(chain.from_iterable(there)))


def _points(heads: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], numbers: list[float | str]) -> Points:
    first, _, every, seqs = heads.T
    within = np.arange(len(numbers), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    values = np.array(numbers, np.float64)
    if values.ndim != 1 or bool in set(map(type, numbers)):
        raise ValueError("a value is not a number")
    return Points(np.repeat(first, counts) + within * np.repeat(every, counts), values, np.repeat(seqs, counts))


def _empty(count: int) -> Points:
    return Points(np.empty(count, np.int64), np.empty(count, np.float64), np.empty(count, np.int64))


def _snapshot(data: Points, count: int, *, ascending: bool) -> Series:
    steps, values = data.steps[:count], data.values[:count]
    if not ascending:  # no engine writes this; who draws relies on it all the same
        order = np.argsort(steps, kind="stable")
        steps, values = steps[order], values[order]
    steps.flags.writeable = values.flags.writeable = False
    return Series(steps, values)
