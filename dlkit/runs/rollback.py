"""What a resume makes void: decided here, for everybody who reads a log, at once or while it grows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, overload

from dlkit.events import Checkpointed, Commanded, Event, Finished, MetricsLogged, Notice, Resumed, Sampled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Booleans = npt.NDArray[np.bool_]


class Rollback(NamedTuple):
    """A run goes back to its checkpoint at ``step``; ``seq`` is the number that the next event had when it was taken.

    -1: not known, from logs of the time before checkpoints said so.
    """

    step: int
    seq: int = -1

    @classmethod
    def to(cls, resumed: Resumed) -> Rollback:
        return cls(resumed.from_step, resumed.from_seq)

    @overload
    def keeps(self, step: int, seq: int) -> bool: ...
    @overload
    def keeps(self, step: Integers, seq: Integers) -> Booleans: ...
    def keeps(self, step: int | Integers, seq: int | Integers) -> bool | Booleans:
        """Whether a value of ``step``, recorded by event ``seq``, still holds: of one, or of arrays of them.

        The step alone does not tell: a checkpoint may lie before an evaluation at its own step, which is made again.
        """
        return (step <= self.step) & ((seq < self.seq) | (self.seq < 0))

    def apply(self, events: Iterable[Event]) -> list[Event]:
        """What holds of the events that stand before the resume."""
        return [left for event in events if (left := self._left_of(event)) is not None]

    def _left_of(self, event: Event) -> Event | None:
        match event:
            case Finished():  # an earlier attempt's end: the run goes on
                return None
            case MetricsLogged():
                return event.until(self.step) if self.keeps(event.first, event.seq) else None
            case Sampled() | Commanded():
                return event if self.keeps(event.step, event.seq) else None
            case Checkpointed() | Notice():  # the checkpoint's own event comes after the seq that it names
                return event if event.step <= self.step else None
        return event  # what the machine did, and that the run was started, resumed or tried again, stays true
