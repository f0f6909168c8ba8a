"""Where in a run's course values are worth a line: every evaluation, and the end of every epoch that has none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dlkit.metric_lines import MetricsLine, last_of, steps_of
from dlkit.monitor.json_lines import BAD
from dlkit.runs.rollback import Rollback

KEPT = 10_000
"""The newest that are kept: a run of a million epochs has as many."""


class Milestone(NamedTuple):
    """``epoch`` counts from 0, ``seq`` is that of its event; ``names``: the metrics that an evaluation gave."""

    time: float
    step: int
    epoch: int
    seq: int
    names: tuple[str, ...] = ()


class Milestones:
    """``take`` is given a run's metrics in their order; ``found`` are those that hold, oldest first."""

    def __init__(self) -> None:
        self.found: list[Milestone] = []
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._last: Milestone | None = None
        """Where the steps taken so far end."""

    def take(self, records: Sequence[MetricsLine]) -> None:
        """Parsed lines that are whole; one that is none is passed over."""
        for record in records:
            try:
                self._take(record)
            except BAD:
                continue
        del self.found[:-KEPT]

    def _take(self, record: MetricsLine) -> None:
        steps, measured = steps_of(record), self._measured(tuple(record["values"]))
        moment, epoch, seq = float(record.get("time", 0.0)), int(record.get("epoch", 0)), int(record.get("seq", -1))
        last, before = self._last, self.found[-1].step if self.found else -1
        if measured:
            for step in steps:
                self._measure(Milestone(moment, step, epoch, seq, measured))
        elif last is not None and epoch > last.epoch and before < last.step:
            self.found.append(last)
        self._last = None if measured else Milestone(moment, last_of(steps), epoch, seq)

    def _measure(self, found: Milestone) -> None:
        """What an evaluation gives may come in several lines, of one step."""
        if self.found and self.found[-1].step == found.step:
            found = found._replace(names=tuple(dict.fromkeys([*self.found.pop().names, *found.names])))
        self.found.append(found)

    def _measured(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Which of these an evaluation gives; asked once of each combination: a long log has a few of them."""
        known = self._names.get(names)
        if known is None:
            known = self._names[names] = tuple(n for n in names if n.startswith("val/") and n.count("/") == 1)
        return known

    def roll_back(self, rollback: Rollback) -> None:
        """Leave out what a resume makes void."""
        self.found = [found for found in self.found if rollback.keeps(found.step, found.seq)]
        self._last = None
