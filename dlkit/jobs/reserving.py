"""What a scheduler does so that urgent jobs, and those whose turn has come, get devices that others have.

It asks who is to give way (``preempting``), and holds a claim in the waiting job's name meanwhile: else the scheduler
of another workspace would take what is given back. All of it is found again by the next scheduler: the orders lie in
the victims' folders, a claim is gone with its process and is made anew.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from dlkit.errors import DAMAGE
from dlkit.jobs.allocate import Decision, Machine, Place, Queued, Wait, kind, place
from dlkit.jobs.claims import Claim, hold
from dlkit.jobs.preempting import Running, choose, running, without
from dlkit.jobs.queue_state import QueueState
from dlkit.runs import giving_way
from dlkit.runs.faults import point
from dlkit.runs.giving_way import GaveWay


class _Wish(NamedTuple):
    """A job that is to get what others have, and why."""

    job: Queued
    why: str


class Reservations:
    """``look`` once a round, after what fits has been started. ``say`` gets a line for each job that is asked."""

    def __init__(self, queue: QueueState, say: Callable[[str], None]) -> None:
        self._queue, self._say = queue, say
        self._held: dict[str, ExitStack] = {}
        self._asked: dict[str, set[str]] = {}
        """By the job that is to start: the runs that were asked for it, of any workspace."""

    @property
    def pending(self) -> bool:
        """Whether somebody is about to give way, so that it pays to look often."""
        return bool(self._held)

    def instead_of(self, job: Queued) -> list[str]:
        """The runs that gave way to a job: as their own folders say, and those of other workspaces that were asked."""
        asked = set(self._asked.get(job.id, ()))
        asked |= {other.id for other in self._queue.queued() if self._story(other).get("to") == job.id}
        return sorted(self._queue.called(name) for name in asked)

    def without_own(self, machine: Machine) -> Machine:
        """The machine without what is kept here: the order of the queue says who is first."""
        own = os.getpid(), str(self._queue.workspace.resolve())
        kept = [c for c in machine.claims if not (c.run in self._held and (c.pid, c.workspace) == own)]
        return machine._replace(claims=kept)

    def look(self, decided: Sequence[tuple[Queued, Decision]], machine: Machine, turn: float | None) -> None:
        """Ask for what urgent jobs lack, and for turns; ``machine`` as of ``without_own``."""
        wishes = self._wishes(decided, machine, turn)
        placed = {job.id for job, decision in decided if isinstance(decision, Place)}
        self._drop(placed | {wish.job.id for wish in wishes})
        if not wishes:  # nearly always: nobody's folder is looked at
            return
        there = running(machine)
        for wish in wishes:
            machine = self._serve(wish, machine, there, turn)

    def _wishes(self, decided: Sequence[tuple[Queued, Decision]], machine: Machine, turn: float | None) -> list[_Wish]:
        found, first = list[_Wish](), set[str]()
        for job, decision in decided:
            if not isinstance(decision, Wait) or not decision.lacks:
                continue
            where, why = kind(job.need, machine), self._why(job, turn)
            # A turn is for the first that waits for such a device: what is given back would be that one's anyway.
            if why == giving_way.URGENT or (why and where not in first):
                found.append(_Wish(job, why))
            first.add(where)
        return found

    def _why(self, job: Queued, turn: float | None) -> str:
        """Why a job is to get what others have; empty: it is not."""
        if job.urgent:
            return giving_way.URGENT
        # Who gave way has had a turn: what it waits for counts from there.
        waits_since = max(job.since, self._story(job).get("time", 0.0))
        return giving_way.TURN if turn is not None and time.time() - waits_since >= turn else ""

    def _story(self, job: Queued) -> GaveWay:
        return giving_way.gave_way(self._queue.record(job.id).get("job", {})) or {}

    def _serve(self, wish: _Wish, machine: Machine, there: Sequence[Running], turn: float | None) -> Machine:
        """The machine as it will be once that job has its place."""
        job = wish.job
        alive = [one for one in there if one.claim in machine.claims]
        # Who was asked already, for this job or for one that needs it no more, comes first.
        leaving = [one for one in alive if one.is_leaving]
        rest = without(machine, leaving)
        found = place(job.need, rest)
        if not isinstance(found, Place):
            candidates = [one for one in alive if one.asked is None and self._may_ask(wish, one, turn)]
            chosen = choose(job.need, rest, candidates)
            if chosen is None:
                return machine
            for one in chosen:
                self._ask(wish, one)
            rest = without(rest, chosen)
            found = place(job.need, rest)
        assert isinstance(found, Place)
        self._reserve(job, found)
        # What it gets is not there for the next wish.
        claim = Claim(found.devices, job.id, "", 0, found.memory, 0.0, True)
        return rest._replace(claims=[*rest.claims, claim])

    def _ask(self, wish: _Wish, one: Running) -> None:
        job = wish.job
        called = self._queue.called(job.id)
        point("scheduler.asking")
        try:
            giving_way.ask(one.run, wish.why, job.id, called, by="the queue")
        except DAMAGE as error:
            self._say(f"{one.run.id}: cannot be asked to give way: {error}")
            return
        point("scheduler.asked")
        self._asked.setdefault(job.id, set()).add(one.run.id)
        self._say(f"{one.run.id}: asked to give way to {called} ({wish.why})")

    def _may_ask(self, wish: _Wish, one: Running, turn: float | None) -> bool:
        """Urgent jobs ask whom they like; who waits for a turn asks those of its own workspace that had theirs."""
        if wish.why == giving_way.URGENT or turn is None:
            return True
        here = str(self._queue.workspace.resolve()) == one.claim.workspace
        return here and one.priority <= wish.job.priority and time.time() - one.claim.since >= turn

    def _reserve(self, job: Queued, found: Place) -> None:
        if job.id not in self._held:
            stack = ExitStack()
            holding = hold(found.devices, run=job.id, workspace=self._queue.workspace, memory=found.memory, queued=True)
            try:
                stack.enter_context(holding)
            except DAMAGE as error:  # a courtesy to others: its worker claims for itself
                self._say(f"{job.id}: its device could not be kept for it: {error}")
            self._held[job.id] = stack

    def _drop(self, wanted: Collection[str]) -> None:
        """What nobody waits for any more: the job has its device by now, or was taken out of the queue."""
        for name in [*self._held]:
            if name not in wanted or self._queue.record(name).get("state") != "queued":
                self._held.pop(name).close()
                self._asked.pop(name, None)

    def close(self) -> None:
        for stack in self._held.values():
            stack.close()
        self._held.clear()
