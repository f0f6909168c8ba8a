"""Where the time of a run has gone, over all its attempts: what their last ``spent`` events say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from dlkit.events import Event, Resumed, Spent, Started

_COUNTERS = ("delayed", "busy", "steal")
"""Of ``Spent.machine``, what adds up; the rest is so at a moment."""


class Spending:
    """Fed with events in their order. ``attempts``: the last of each attempt, which holds all before it."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.attempts: list[Spent] = []
        self._begins = True
        self._in_all: Spent | None = None
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        if isinstance(event, Started | Resumed):
            self._begins = True
        elif isinstance(event, Spent):
            if self._begins:
                self.attempts.append(event)
            self.attempts[-1], self._begins, self._in_all = event, False, None

    def in_all(self) -> Spent | None:
        """All attempts together, the same object until there is something new; None where nothing is known, as of logs
        of before."""
        if self._in_all is None and self.attempts:
            self._in_all = self._summed()
        return self._in_all

    def _summed(self) -> Spent:
        last, of_all = self.attempts[-1], self.attempts
        seconds: Counter[str] = Counter()
        counters: Counter[str] = Counter()
        for attempt in of_all:
            seconds.update(attempt.seconds)
            counters.update({name: attempt.machine.get(name, 0.0) for name in _COUNTERS})
        return Spent(
            seq=last.seq,
            time=last.time,
            step=last.step,
            seconds=dict(seconds),
            cpu_seconds=sum(attempt.cpu_seconds for attempt in of_all),
            children_cpu_seconds=sum(attempt.children_cpu_seconds for attempt in of_all),
            voluntary=sum(attempt.voluntary for attempt in of_all),
            involuntary=sum(attempt.involuntary for attempt in of_all),
            machine={**last.machine, **{name: counters[name] for name in _COUNTERS if name in last.machine}},
        )
