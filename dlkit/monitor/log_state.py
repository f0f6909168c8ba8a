"""What holds of a run's log, kept up to date line by line; every line is parsed once."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TypeGuard, cast

from dlkit.events import Event, Finished, Forked, Machine, Resumed, Started, from_record
from dlkit.json_types import Json, JsonObject
from dlkit.metric_lines import MetricsLine, last_of, steps_of, time_left_of
from dlkit.monitor.clock import Clock
from dlkit.monitor.history import History
from dlkit.monitor.json_lines import BAD, FLUSHED, parse
from dlkit.monitor.milestones import Milestones
from dlkit.runs.rollback import Rollback
from dlkit.runs.spending import Spending
from dlkit.shapes import LATEST

MACHINE_SECONDS = 600.0
"""How long the figures of the machine are kept."""
PACE_SECONDS = 30.0
"""What the pace is taken over: the rate of one batch says little where evaluations come in between."""


_TURNS = ("resumed", "started", "forked")
"""Kinds of events that change what came before: what is parsed together ends there."""


class LogState:
    """``feed`` takes lines of events.jsonl in their order, in portions of any size.

    Metrics go straight into arrays, without becoming events. A line that is damaged, or of a kind or shape that this
    version does not know, is passed over; the damaged are counted.
    """

    def __init__(self) -> None:
        self.history = History()
        self.milestones = Milestones()
        self.clock = Clock()
        self.events: list[Event] = []
        """All but metrics, machine and spent; ``events_changed`` counts what was added to them or taken away."""
        self.events_changed = 0
        self.damaged = 0
        """Lines that are none of the above, whole as they are."""
        self.machine: deque[Machine] = deque()
        self.spending = Spending()
        self.printed: list[tuple[int, float]] = []
        """Up to which byte output.log had come at which time, wherever it had grown."""
        self.summary: Mapping[str, Json] = {}
        self.step = self.total_steps = self.epoch = 0
        self.rate = self.started = self.updated = 0.0
        self.time_left: float | None = None
        self._metrics: list[MetricsLine] = []
        self._passed: deque[tuple[float, int]] = deque()
        self._machine: deque[JsonObject] = deque(maxlen=round(MACHINE_SECONDS))

    def feed(self, lines: Sequence[bytes]) -> None:
        records = parse(lines)
        self.damaged += len(lines) - len(records)
        for record in records:
            kind = record.get("event")
            if kind == "metrics":
                self._metrics.append(cast(MetricsLine, record))
            elif kind == "machine":
                self._machine.append(record)
                self._take_printed(record)
            elif kind == "spent":
                self._take_spent(record)
            else:
                if kind in _TURNS:
                    self._take_metrics()
                self._other(record)
        self._take_metrics()
        self._take_machine()

    def _take_metrics(self) -> None:
        if not self._metrics:
            return
        records, told = self.history.append(self._metrics), len(self._metrics)
        self.damaged += told - len(records)
        self._metrics = []
        if not records:
            return
        self.milestones.take(records)
        self.clock.take(records)
        try:
            newest, some = records[-1], records[-FLUSHED:]
            last = max(map(_reached, some))
            paced = next((record for record in reversed(some) if record.get("rate")), newest)  # an evaluation has none
            rate, left, moment = float(paced.get("rate", 0.0)), time_left_of(paced), newest.get("time", 0.0)
            self.step, self.epoch = max(self.step, last), int(newest.get("epoch", 0))
        except BAD:
            return
        if rate:
            self.rate, self.time_left = rate, float(left) if isinstance(left, (int, float)) else None
        self._tell_time(records[0].get("time"))
        self._tell_time(moment)
        self._pass(records)

    @property
    def pace(self) -> float:
        """Steps a second over the last half minute; 0 if that is not known."""
        if len(self._passed) < 2:
            return self.rate
        (began, first), (ended, last) = self._passed[0], self._passed[-1]
        return max(0.0, (last - first) / (ended - began)) if ended > began else self.rate

    def _pass(self, records: Sequence[MetricsLine]) -> None:
        """Remember when which step was reached."""
        fresh: deque[tuple[float, int]] = deque()
        for record in reversed(records):
            try:
                moment, step = float(record["time"]), last_of(steps_of(record))
            except BAD:
                continue
            if moment < self.updated - PACE_SECONDS:
                break
            fresh.appendleft((moment, step))
        self._passed.extend(fresh)
        while self._passed and self._passed[0][0] < self.updated - PACE_SECONDS:
            self._passed.popleft()

    def _take_machine(self) -> None:
        for record in self._machine:
            event = self._event(record)
            if isinstance(event, Machine):
                self.machine.append(event)
                self._tell_time(event.time)
        self._machine.clear()
        while self.machine and self.machine[0].time < self.machine[-1].time - MACHINE_SECONDS:
            self.machine.popleft()

    def _take_spent(self, record: JsonObject) -> None:
        event = self._event(record)
        if event is not None:
            self.spending.take(event)
            self._tell_time(event.time)

    def _take_printed(self, record: JsonObject) -> None:
        printed, moment = record.get("printed"), record.get("time")
        last = self.printed[-1][0] if self.printed else 0
        if type(printed) is int and printed > last and _is_number(moment):
            self.printed.append((printed, float(moment)))

    def _other(self, record: JsonObject) -> None:
        event = self._event(record)
        if event is None:
            return
        self.spending.take(event)
        if isinstance(event, Resumed):
            rollback = Rollback.to(event)
            self.events = rollback.apply(self.events)
            self.history.roll_back(rollback)
            self.milestones.roll_back(rollback)
            self.clock.begin(event.time, event.from_step, rollback)
            self.step, self.total_steps = event.from_step, event.total_steps
            self._passed.clear()
            self.time_left = None  # it may have been given another limit
        elif isinstance(event, Started):
            self.step = event.from_step if isinstance(event, Forked) else 0
            self.total_steps, self.summary = event.total_steps, event.summary
            self.clock.begin(event.time)
        elif isinstance(event, Finished):
            self.step = event.steps
        self.events.append(event)
        self.events_changed += 1
        self._tell_time(event.time)

    def _event(self, record: JsonObject) -> Event | None:
        try:
            return from_record(record)
        except BAD:
            self.damaged += 1
            return None

    def _tell_time(self, moment: Json) -> None:
        if _is_number(moment) and 0 < moment < LATEST:
            self.started = self.started or float(moment)
            self.updated = max(self.updated, float(moment))


def _reached(record: MetricsLine) -> int:
    """The last step of a metrics event, -1 if that cannot be known."""
    try:
        return last_of(steps_of(record))
    except BAD:
        return -1


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float))
