"""Where a run's time went, for the rules on speed: the last that its newest attempt told."""

from __future__ import annotations

from typing import NamedTuple

from dlkit.diagnose.record import Record
from dlkit.events import Spent

LEAST = 30.0
"""Seconds of training below which nobody is told that it is slow: what is done once weighs most then."""
NOT_TRAINING = ("paused", "preparing")


class Spending(NamedTuple):
    """``seconds`` are those of training, without pauses and what came before the first step."""

    told: Spent
    seconds: float

    def of(self, *kinds: str) -> float:
        """Seconds of these kinds."""
        return sum(self.told.seconds.get(kind, 0.0) for kind in kinds)

    def share(self, *kinds: str) -> float:
        return self.of(*kinds) / self.seconds

    def machine(self, name: str) -> float:
        """What is known of the machine; 0 of what is not."""
        return self.told.machine.get(name, 0.0)


def spending(record: Record) -> Spending | None:
    """None where nothing is told, or too little."""
    told = record.of(Spent)
    if not told:
        return None
    last = told[-1]
    seconds = sum(part for kind, part in last.seconds.items() if kind not in NOT_TRAINING)
    return Spending(last, seconds) if seconds >= LEAST else None
