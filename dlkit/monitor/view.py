"""One run, followed: everything its screen shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dlkit.events import Checkpointed, Event, Finished, Machine, Sampled
from dlkit.runs.folder import RunFolder


class Series(NamedTuple):
    """One metric's course: ``steps`` ascending, ``values`` as many; a snapshot that never changes."""

    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


class RunView:
    """``poll()`` is called by one thread; the rest may be read by another at any time, and is replaced, never cut.

    What a later ``resumed`` made void is left out, as ``runs.log.effective`` has it.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.record: Mapping[str, Any] = {}
        """run.json; empty while it is unreadable."""
        self.state = ""
        """As ``jobs.follow.state_now`` says."""
        self.step = 0
        self.total_steps = 0
        self.epoch = 0
        self.rate = 0.0
        """Steps a second, as last told."""
        self.started = 0.0
        self.updated = 0.0
        """UTC seconds of the first and of the last event."""
        self.metrics: dict[str, float] = {}
        """The last value of every metric."""
        self.summary: Mapping[str, Any] = {}
        """What ``started`` says of model, data, device, precision."""
        self.sampled: Sequence[Sampled] = ()
        self.checkpoints: Sequence[Checkpointed] = ()
        self.machine: Sequence[Machine] = ()
        """The last ten minutes."""
        self.events: Sequence[Event] = ()
        """All but metrics and machine, oldest first."""
        self.finished: Finished | None = None
        self.log: Sequence[str] = ()
        """The last lines of output.log, at most 10 000, fit for a terminal."""
        self.log_count = 0
        """How many lines there have been in all."""

    def poll(self) -> bool:
        """Look at the folder; True if anything is new."""
        raise NotImplementedError

    @property
    def names(self) -> Sequence[str]:
        """Every metric recorded, in the order of their first appearance."""
        raise NotImplementedError

    def series(self, name: str) -> Series:
        """KeyError if there is no such metric."""
        raise NotImplementedError
