"""Training runs as one: from their attempts to the streams of their events, and a finished folder for each."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from dlkit.engine.attempt import Attempt
from dlkit.engine.breakdown import Stretch
from dlkit.engine.device import set_threads
from dlkit.engine.room import bounded_memory
from dlkit.engine.signals import StopSignals
from dlkit.engine.stacked.feed import Feed
from dlkit.engine.stacked.members import Member
from dlkit.engine.stacked.parts import Parts, parts_for
from dlkit.engine.stacked.row_loop import columns_by_row
from dlkit.engine.stacked.sharing import Shared
from dlkit.engine.stacked.stack import Fed, RowValues
from dlkit.engine.threads import AskCores, all_cores
from dlkit.events import Event
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import BOTH, Part

FLUSH_SECONDS = 0.25
"""How long metrics stay unread at least, as in a run alone."""
ATTENTION = 0.05
"""Share of the time that goes to logs, orders and lists of K runs at most: with many rows they are looked at less."""


class Started(NamedTuple):
    """An attempt of a stack's; ``part`` and ``commands_from`` as for ``Attempt.events``."""

    attempt: Attempt
    part: Part = BOTH
    commands_from: int | None = None


class StackedTraining:
    """Iterate ``events`` to make it happen: each with the run that it is of. ``cores``: who tells how many are free."""

    def __init__(self, started: Sequence[Started], cores: AskCores = all_cores) -> None:
        self._started, self._cores = started, cores
        self._members: list[Member] = []
        self._flush = FLUSH_SECONDS
        self._stack: tuple[list[Member], Parts, Iterator[Fed]] | None = None
        self._stack_step = -1

    @property
    def runs(self) -> list[RunFolder]:
        return [started.attempt.run for started in self._started]

    def events(self, signals: StopSignals | None = None) -> Generator[tuple[RunFolder, Event], None, None]:
        """Train. Closed before the end, it stops all; an error of one run ends that one, any other all of them."""
        asked = signals or StopSignals()
        root = int(os.environ.get("DLKIT_SUPERVISOR", os.getpid()))
        shared = Shared(asked, len(self._started), root)
        self._shared = shared
        self._members = [Member(s.attempt, shared, s.part, s.commands_from) for s in self._started]
        with ExitStack() as stack:
            stack.enter_context(asked)
            stack.enter_context(bounded_memory())
            stack.callback(shared.close)
            stack.callback(self._let_go)
            stack.enter_context(shared.machine)
            # Those of a run alone: with another number, products round otherwise, and so would a resume.
            set_threads(self._started[0].attempt.job.placement.threads)
            try:
                yield from self._advance(self._members)
                yield from self._train()
            except GeneratorExit:
                for member in self._members:
                    member.close()
                raise
            # The stack's boundary: out of memory, a component's error, Ctrl-C for the second time. Every run says so.
            except BaseException as error:
                for member in self._members:
                    for event in member.fail(error):
                        yield member.run, event

    def _train(self) -> Iterator[tuple[RunFolder, Event]]:
        while waiting := [member for member in self._members if member.waits is not None]:
            # Rows that were resumed from another step wait until the others have come there.
            first = min(_step(member) for member in waiting)
            group = [member for member in waiting if _step(member) == first]
            later = min((_step(member) for member in waiting if _step(member) > first), default=math.inf)
            self._take_steps(group, later)
            began = time.monotonic()
            # Once for all rows, or some would write a checkpoint here and others at the next attention.
            self._shared.machine.look()
            self._shared.clock.look(min(member.loop.checkpoint_seconds for member in group))
            yield from self._advance(group)
            self._flush = max(FLUSH_SECONDS, (time.monotonic() - began) / ATTENTION)

    def _take_steps(self, group: list[Member], later: float) -> None:
        """Steps of these rows until one of them must be attended to; each gets what was measured."""
        stack, batches, step = *self._stack_of(group), _step(group[0])
        until = min(later, *(member.waits.wake for member in group if member.waits is not None))
        asked, now, loading = self._shared.signals, time.monotonic(), 0.0
        began = now
        values: list[RowValues] = []
        while step < until:
            batch = next(batches)
            ready = time.monotonic()
            loading += ready - now
            values.append(stack.step(batch, step))
            step += 1
            now = time.monotonic()
            if now - began >= self._flush or asked.asked:
                break
        parts = columns_by_row(values, step - len(values) + 1, len(group))
        device = time.monotonic() - now
        stack.settle(step)
        self._stack_step, seconds = step, time.monotonic() - began
        augmenting = sum(member.loop.loader.augmented() for member in group)
        stretch = Stretch(seconds, loading, augmenting, device)
        # All of them before the first goes on: whoever leaves in between finds every row at the same step.
        for member, found in zip(group, parts, strict=True):
            member.loop.hand(found, step, stretch, len(values) / max(seconds, 1e-9))

    def _stack_of(self, group: list[Member]) -> tuple[Parts, Iterator[Fed]]:
        """The stack of these rows, made anew when they are others than before."""
        step = _step(group[0])
        if self._stack is not None and self._stack[0] == group and self._stack_step == step:
            self._stack[1].refresh()
            return self._stack[1:]
        self._let_go()
        jobs = [member.attempt.job for member in group]
        stack = Parts([member.row for member in group], jobs, parts_for(jobs, self._cores))
        loaders = [member.loop.loader for member in group]
        feed = Feed(loaders, [job.resolved.engine.seed for job in jobs], jobs[0].course)
        batches = feed.steps(step)
        self._stack = group, stack, batches
        return stack, batches

    def _let_go(self) -> None:
        """Of the stack that was."""
        if self._stack is not None:
            self._stack[1].close()
            self._stack = None

    def _advance(self, members: Sequence[Member]) -> Iterator[tuple[RunFolder, Event]]:
        """Let each go on until it waits; those whose checkpoints are being written go on when all have begun that."""
        for member in members:
            for event in member.advance():
                yield member.run, event
        for member in members:
            if member.waits is not None and member.waits.ends:
                for event in member.advance():
                    yield member.run, event


def _step(member: Member) -> int:
    assert member.waits is not None
    return member.loop.progress.step
