"""A run's log for people: what happened, what was measured and what its processes printed, in the order of time."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from dlkit.events import Event, Finished, Notice, Preparing, Resumed, Retried, Started
from dlkit.monitor.milestones import Milestone
from dlkit.monitor.view import RunView
from dlkit.present.events import describe, describe_start, loss_names, main_values, metrics_line
from dlkit.present.numbers import when
from dlkit.runs.contents import EvaluationRecord
from dlkit.steering import one_line

WIDTH = 160
"""Of a line of metrics: details beyond it are in the table of events."""
_WORDS = {
    "samples": "samples",
    "checkpoint": "checkpoint",
    "notice": "note",
    "retried": "note",
    "preparing": "prepared",
}


class LogLine(NamedTuple):
    """``kind`` says how it is to look: head, best, note, bad, printed, or nothing in particular."""

    text: str
    kind: str = ""


class _Entry(NamedTuple):
    """What belongs together, under one time."""

    time: float
    day: str
    lines: tuple[LogLine, ...]


class RunLog:
    """The log of one run. ``lines`` may be asked again and again: what was put into words once is kept."""

    def __init__(self) -> None:
        self._told: dict[object, _Entry] = {}

    def lines(self, view: RunView) -> list[LogLine]:
        """Everything there is to tell of a run as it is now, oldest first; of a log without end, the newest."""
        entries = [*self._events(view), *self._milestones(view), *self._evaluations(view.evaluations)]
        entries.sort(key=lambda entry: entry.time)
        found = list(_dated(merge(entries, _printed(view), key=lambda entry: entry.time)))
        return found or [LogLine(_nothing(view), "note")]

    def _tell(self, key: object, time: float, step: int | None, text: str, kind: str = "") -> _Entry:
        """One entry: the first line has its time and its step, the others stand below."""
        known = self._told.get(key)
        if known is None:
            first, *rest = text.splitlines() or [""]
            where = "" if step is None else f"step {step}"
            head = LogLine(one_line(f"{when(time, '%H:%M:%S'):8}  {where:10} {first}"), kind)
            more = (LogLine(f"    {one_line(line)}", "bad" if kind == "bad" else "") for line in rest)
            known = self._told[key] = _Entry(time, when(time, "%Y-%m-%d"), (head, *more))
        return known

    def _events(self, view: RunView) -> Iterator[_Entry]:
        for event in view.events:
            if not (isinstance(event, Preparing) and event.done < event.total):
                step = next((getattr(event, k) for k in ("step", "from_step", "steps") if hasattr(event, k)), None)
                # A process that prints its traceback itself has told it already.
                traceback = event.traceback if isinstance(event, Finished) else ""
                traceback = "" if _is_printed(traceback, view.log) else traceback
                key = event.seq, event.time, event.event, traceback
                yield self._tell(key, event.time, step, f"{_whole(event)}\n{traceback}".rstrip(), _kind(event))

    def _milestones(self, view: RunView) -> Iterator[_Entry]:
        found = view.milestones
        columns = _columns(view, [milestone.step for milestone in found])
        primary, losses = str(view.record.get("metric") or ""), loss_names(columns)
        best, sign = -math.inf, -1.0 if view.record.get("direction") == "min" else 1.0
        for i, milestone in enumerate(found):
            # An epoch without an evaluation has no values but its losses: those of the last one are older.
            names = [*losses, *milestone.names] if milestone.names else [n for n in columns if not n.startswith("val/")]
            value = sign * columns[primary][i] if primary in milestone.names and primary in columns else -math.inf
            better, best = value > best, max(best, value)
            key = (milestone, better)
            if key not in self._told:
                values = {n: columns[n][i] for n in names if n in columns and not math.isnan(columns[n][i])}
                text = metrics_line(_where(milestone) + ", best so far" * better, values, primary, WIDTH)
                self._tell(key, milestone.time, milestone.step, text, "best" if better else "")
            yield self._told[key]

    def _evaluations(self, found: Sequence[EvaluationRecord]) -> Iterator[_Entry]:
        for i, record in enumerate(found):
            text = f"evaluated on {record.get('split', '?')}: {main_values(record.get('metrics'))}"
            yield self._tell(("evaluation", i), record.get("time", 0.0), record.get("step"), text, "best")


def _columns(view: RunView, steps: Sequence[int]) -> Mapping[str, list[float]]:
    """Every main metric as it stood at these steps; NaN before its first value. A metric at a time: a long run has
    ten thousand steps to ask for."""
    wanted, found = np.array(steps, np.int64), dict[str, list[float]]()
    for name in view.names:
        series = view.series(name)
        if name.count("/") == 1 and len(series.steps):
            places = np.searchsorted(series.steps, wanted, "right") - 1
            found[name] = np.where(places < 0, math.nan, series.values[places]).tolist()
    return found


def _where(milestone: Milestone) -> str:
    if milestone.names and not milestone.step:
        return "before the first step"
    return f"epoch {milestone.epoch + 1}{'' if milestone.names else ' ends'}"


def _whole(event: Event) -> str:
    """What happened, with what belongs below it: how it was set up, where it failed."""
    if isinstance(event, Started):
        try:
            return f"starts: {describe(event)}\n{describe_start(event.summary)}"
        except (KeyError, TypeError, AttributeError, ValueError):  # another version's summary
            return f"starts: {describe(event)}"
    if isinstance(event, Finished):
        return f"{event.status}: {describe(event)}"
    word = _WORDS.get(event.event, "")
    return f"{word}: {describe(event)}" if word else describe(event)


def _kind(event: Event) -> str:
    if isinstance(event, Finished):
        return "bad" if event.status == "failed" else "head"
    if isinstance(event, Notice | Retried):
        return "note"
    return "head" if isinstance(event, Started | Resumed) else ""


def _is_printed(traceback: str, log: Sequence[str]) -> bool:
    """Whether the process that failed has printed its traceback itself: it is not told twice."""
    lines = traceback.rstrip().splitlines()
    return bool(lines) and lines[-1].strip() in {line.strip() for line in log[-200:]}


def _printed(view: RunView) -> Iterator[_Entry]:
    """What the processes printed, each line where it was printed, as far as that is known, else before the end."""
    offsets, moments = [offset for offset, _ in view.printed], [moment for _, moment in view.printed]
    before_end = math.nextafter(view.finished.time, 0.0) if view.finished is not None else math.inf
    places = (bisect_left(offsets, end) for end in view.log_ends)
    for place, lines in groupby(zip(places, view.log, strict=False), key=itemgetter(0)):
        moment = moments[place] if place < len(moments) else before_end
        yield _Entry(moment, "", tuple(LogLine(f"    {line}", "printed") for _, line in lines))


def _dated(entries: Iterable[_Entry], day: str = "") -> Iterator[LogLine]:
    """All lines, below a line with the day where another begins."""
    for entry in entries:
        if entry.day and entry.day != day:
            day = entry.day
            yield LogLine(day, "head")
        yield from entry.lines


def _nothing(view: RunView) -> str:
    if view.state == "queued":
        return "Nothing yet: the run waits in the queue."
    return "Nothing yet." if view.state in ("running", "paused") else "Nothing of this run is on record."
