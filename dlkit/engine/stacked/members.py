"""A member of a stack that goes: its attempt, its events as far as they have come, its random streams."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from dlkit.engine.attempt import Attempt
from dlkit.engine.build import Job
from dlkit.engine.orders import Inbox
from dlkit.engine.resuming import Resuming
from dlkit.engine.signals import StopSignals
from dlkit.engine.stacked.row_loop import RowLoop, Waits
from dlkit.engine.stacked.sharing import Shared
from dlkit.engine.stacked.stack import Row
from dlkit.engine.supervised import SupervisedTrainer
from dlkit.events import Event
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import BOTH, Part


class Member:
    """``advance`` lets it go on by itself, as far as a run gets without steps."""

    def __init__(self, attempt: Attempt, shared: Shared, part: Part = BOTH, commands_from: int | None = None) -> None:
        self.attempt, self.run = attempt, attempt.run
        self.waits: Waits | None = None
        """Where it waits for steps; None: it has not begun, or has ended."""
        self.generator = torch.Generator()
        """In the state of the run's own, while it waits: what its model draws comes from here."""
        self._shared = shared
        self._loop: RowLoop | None = None
        self._stream = attempt.events(part=part, commands_from=commands_from, loop=self._new_loop)
        # Of Python's and NumPy's generators: nothing in a step draws from them, but every checkpoint holds them.
        self._streams: tuple[Any, Any] | None = None

    @property
    def loop(self) -> RowLoop:
        """Once it has begun."""
        assert self._loop is not None
        return self._loop

    @property
    def row(self) -> Row:
        return row_of(self.attempt.job, self.generator)

    def advance(self) -> Iterator[Event]:
        """Its events until it waits again, or has ended."""
        self.waits = None
        with self._own_streams():
            yield from self._until_it_waits()

    def fail(self, error: BaseException) -> Iterator[Event]:
        """Have an error of the stack's come up in it, where it waits: it ends as a run does that raises it."""
        if self.waits is None:
            return
        self.waits = None
        with self._own_streams():
            yield self._stream.throw(error)
            yield from self._until_it_waits()

    def close(self) -> None:
        """Nobody listens any more: it stops, its last checkpoint written."""
        with self._own_streams():
            self._stream.close()

    def _until_it_waits(self) -> Iterator[Event]:
        for event in self._stream:
            if isinstance(event, Waits):
                self.waits = event
                return
            yield event

    @contextmanager
    def _own_streams(self) -> Iterator[None]:
        """Inside, every global generator is where it would be in a process of the run's own."""
        if self._streams is not None:
            random.setstate(self._streams[0])
            np.random.set_state(self._streams[1])
            torch.set_rng_state(self.generator.get_state())
        try:
            yield
        finally:
            self._streams = random.getstate(), np.random.get_state()
            self.generator.set_state(torch.get_rng_state())

    def _new_loop(
        self,
        job: Job,
        run: RunFolder,
        *,
        resuming: Resuming | None,
        signals: StopSignals | None,
        inbox: Inbox,
        report: Path | None,
    ) -> Iterable[Event]:
        self._loop = RowLoop(job, run, self._shared, resuming=resuming, inbox=inbox, report=report)
        return self._loop


def row_of(job: Job, generator: torch.Generator) -> Row:
    """A run as a row of a stack."""
    return Row(cast(SupervisedTrainer, job.trainer), generator)
