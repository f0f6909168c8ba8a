"""A run that lives, as a line in a list: its log followed by byte offset, most of it never parsed."""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, TypedDict

from dlkit.events import Finished, Forked, Resumed, Sampled, Started
from dlkit.jobs.follow import Tail
from dlkit.metric_lines import last_of, steps_of, time_left_of
from dlkit.monitor.json_lines import BAD, FLUSHED, parse_metrics
from dlkit.monitor.pulse import TREND, Pace, Pulse
from dlkit.present.sparkline import thinned
from dlkit.runs.files import file_size
from dlkit.runs.folder import RunFolder, Summary, current_state, disk_use
from dlkit.runs.log import parse_lines
from dlkit.runs.rollback import Rollback
from dlkit.runs.run_record import RunRecord

HISTORY = 1 << 18
"""Bytes at the end of a log that a run's best so far is taken from, when it is first seen alive."""
KEPT = 1000
"""How many of a live run's successive best values are kept, and how many of its last ones."""
SIZE_SECONDS = 10.0
"""Between two measurements of what a live run takes on the disk."""
METRICS = b'{"event":"metrics"'
SAMPLES = b'{"event":"samples"'
TURNS = (b'{"event":"started"', b'{"event":"forked"', b'{"event":"resumed"', b'{"event":"finished"')


class Point(NamedTuple):
    """A value of the primary metric, and the ``seq`` of the event that recorded it."""

    seq: int
    step: int
    value: float


class Progress(TypedDict, total=False):
    """Fields of a summary that a log tells."""

    step: int
    total_steps: int
    updated: float
    seconds: float
    last: float | None
    best: float | None


class PrimaryMetric:
    """Last and best value so far. Of a long run little is kept: what a resume may go back among."""

    def __init__(self, name: str, direction: str) -> None:
        self._name, self._sign = name, 1 if direction == "max" else -1
        self._key = json.dumps(name, ensure_ascii=False).encode()
        self._bests: deque[Point] = deque(maxlen=KEPT)  # each better than all before it
        self._recent: deque[Point] = deque(maxlen=KEPT)

    def __len__(self) -> int:
        """How many points are kept."""
        return len(self._bests) + len(self._recent)

    def told(self) -> Progress:
        """The last and the best value; None where there is none."""
        recent = self._recent or self._bests
        last, best = (points[-1].value if points else None for points in (recent, self._bests))
        return {"last": last, "best": best}

    @property
    def trend(self) -> tuple[float, ...]:
        """The course of the last values, in few."""
        return tuple(thinned([point.value for point in self._recent], TREND))

    def may_be_in(self, line: bytes) -> bool:
        """Whether a line of metrics has to be parsed for its sake."""
        return self._key in line

    def take(self, lines: Sequence[bytes]) -> None:
        """Values of such lines."""
        for record in parse_metrics(lines):  # together: in a tenth of the time, in which nothing else is drawn
            with suppress(*BAD):
                seq, column = int(record.get("seq", -1)), record["values"].get(self._name, ())
                for step, value in zip(steps_of(record), map(float, column), strict=False):  # "nan" is a number
                    self._add(Point(seq, step, value))

    def roll_back(self, rollback: Rollback) -> bool:
        """Leave out what a resume makes void; whether that was anything."""
        before = len(self)
        for points in (self._bests, self._recent):
            left = [point for point in points if rollback.keeps(point.step, point.seq)]
            points.clear()
            points.extend(left)
        return len(self) < before

    def _add(self, point: Point) -> None:
        self._recent.append(point)
        best = self._bests[-1].value if self._bests else -math.inf * self._sign
        if self._sign * point.value > self._sign * best:  # never so for NaN
            self._bests.append(point)


def _newest_sample(run: RunFolder) -> str:
    """Of a long run, whose samples may lie before what is read of its log: their names begin with their step."""
    with suppress(OSError, ValueError):  # no folder; no samples in it
        return f"samples/{max(path.name for path in run.samples.iterdir() if path.suffix == '.json')}"
    return ""


class LiveRun:
    """A run that is not known to have ended; ``poll`` gives its summary now, the very same if nothing is new."""

    def __init__(self, run: RunFolder, summary: Summary) -> None:
        self._run = run
        self.primary = PrimaryMetric(summary.metric, summary.direction)
        self._record: RunRecord | None = None
        self._tail = Tail(run.events, max(0, file_size(run.events) - HISTORY))
        self._measured = time.monotonic()
        self._started = summary.updated - summary.seconds
        self._step = 0
        self._pace = Pace()
        self.pulse = Pulse(sample=_newest_sample(run))
        """As of the last poll; the very same where no line has come."""

    def renewed(self) -> LiveRun:
        """run.json has changed: read it again."""
        self._record = None
        return self

    def poll(self, summary: Summary) -> Summary:
        state, progress = self._state(summary), self._read(summary)  # before the log: who is dead by then wrote all
        now = summary._replace(state=state, size=self._size(summary), **progress)
        return summary if now == summary else now

    def _state(self, summary: Summary) -> str:
        try:
            if self._record is None:
                self._record = self._run.read()
            return current_state(self._run, self._record)
        except (OSError, ValueError, AttributeError, TypeError):  # the next look at the folders says what is wrong
            return summary.state

    def _size(self, summary: Summary) -> int:
        if time.monotonic() - self._measured <= SIZE_SECONDS:
            return summary.size
        self._measured = time.monotonic()
        return disk_use(str(self._run.path))

    def _read(self, summary: Summary) -> Progress:
        """What new lines say. Most are passed over unparsed: of metrics the newest, and those with the primary one."""
        told = Progress()
        newest: deque[bytes] = deque(maxlen=FLUSHED)
        primary: list[bytes] = []
        sampled = b""
        lines = self._tail.lines()
        for line in lines:
            if line.startswith(METRICS):
                newest.append(line)
                if self.primary.may_be_in(line):
                    primary.append(line)
            elif line.startswith(SAMPLES):
                sampled = line
            elif line.startswith(TURNS):
                self.primary.take(primary)
                told.update(self._turn(line, newest))
                primary = []
        self.primary.take(primary)
        told.update(self._progress(newest, summary))
        if lines:
            self.pulse = self._pulse(sampled, newest)
        if told and len(self.primary):  # without a value of its own, what run.json says is better
            told.update(self.primary.told())
        return told

    def _pulse(self, sampled: bytes, newest: Sequence[bytes]) -> Pulse:
        event = next(parse_lines([sampled]), None) if sampled else None
        sample = event.samples[0].file if isinstance(event, Sampled) and event.samples else self.pulse.sample
        time_left = self.pulse.time_left
        for record in parse_metrics(newest):
            with suppress(*BAD):
                told = time_left_of(record)
                time_left = None if told is None else float(told)
        return Pulse(self.primary.trend, self._pace.rate, time_left, sample)

    def _turn(self, line: bytes, newest: deque[bytes]) -> Progress:
        """A line that changes what those before it mean."""
        event = next(parse_lines([line]), None)
        if isinstance(event, Resumed):
            newest.clear()
            self._step = event.from_step
            told: Progress = {"step": self._step, "total_steps": event.total_steps}
            if self.primary.roll_back(Rollback.to(event)):
                told.update(self.primary.told())
            return told
        if isinstance(event, Started):
            self._started = event.time
            if isinstance(event, Forked):
                self._step = event.from_step
                return {"step": self._step, "total_steps": event.total_steps}
            return {"total_steps": event.total_steps}
        if isinstance(event, Finished):
            newest.clear()
            self._step = event.steps
            return {"step": self._step}
        return {}

    def _progress(self, newest: Sequence[bytes], summary: Summary) -> Progress:
        reached, moment = self._step, 0.0
        for record in parse_metrics(newest):
            with suppress(*BAD):
                reached, moment = max(reached, last_of(steps_of(record))), float(record.get("time", 0.0))
                self._pace.reached(reached, moment)
        if not moment:
            return {}
        self._step = reached
        seconds = max(0.0, moment - self._started) if self._started > 0 else summary.seconds
        return {"step": reached, "updated": moment, "seconds": seconds}
