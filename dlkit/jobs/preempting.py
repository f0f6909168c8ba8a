"""Who gives way: which running jobs are to give their devices back, so that one that waits can start.

``choose`` is a function of the job, the machine and the jobs that run. Asking is an order in the victim's
commands.jsonl (``runs.giving_way``): it is found again there by the next scheduler, should this one be killed.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from dlkit.errors import DAMAGE
from dlkit.gpus import Gpu
from dlkit.jobs.allocate import Machine, Need, Place, place, tree
from dlkit.jobs.claims import Claim
from dlkit.jobs.job_record import job_of
from dlkit.runs import giving_way
from dlkit.runs.folder import RunFolder
from dlkit.runs.giving_way import Release

PATIENCE = 60.0
"""Seconds in which a job that was asked is expected to give way, for a step may be long; then another one is asked."""
_EXHAUSTIVE = 2
"""Victims up to which every choice is looked at; of more, the first in their order without those that are needless."""


class Running(NamedTuple):
    """A job of a queue that runs, and may be asked; ``asked`` if it has been. ``pids``: its processes on GPUs."""

    claim: Claim
    run: RunFolder
    priority: int
    asked: Release | None = None
    pids: Collection[int] = ()

    @property
    def is_leaving(self) -> bool:
        return self.asked is not None and time.time() - self.asked.time < PATIENCE


def running(machine: Machine) -> list[Running]:
    """The jobs that may give way, of all workspaces whose claims are seen: the least important first, of equals the
    youngest, which has the least warmth to lose.

    Those that a queue has started, which are not urgent. None that is trained as one with others, which would all have
    to; none in the foreground, nor one that was started at once, which somebody wants now.
    """
    found = [one for claim in machine.claims if claim.queued and (one := _running(claim)) is not None]
    return sorted(found, key=lambda one: (one.priority, -one.claim.since, one.run.id))


def _running(claim: Claim) -> Running | None:
    run = RunFolder(Path(claim.workspace, "runs", claim.run))
    try:
        record = run.read()
        job = job_of(record)
        # A claim outlives its job's state by an instant, and a number of a process may be another's by now.
        movable = job.get("queued") and not job.get("urgent") and not job.get("stack")
        if not movable or record.get("state") not in ("running", "paused") or record.get("worker") != claim.pid:
            return None
        # Only a GPU's driver counts by processes; to ask for a tree of them takes milliseconds.
        pids = () if claim.devices == ("cpu",) else tree(claim.pid)
        return Running(claim, run, int(job.get("priority", 0)), giving_way.pending(run, record), pids)
    except DAMAGE:
        return None


def choose(need: Need, machine: Machine, there: Sequence[Running]) -> list[Running] | None:
    """The jobs of ``there`` that are to give way for ``need`` to have a place; None: no choice of them is enough.

    Never a more important one where less important ones do; of those the fewest, then the youngest.
    """
    # Levels from below: that a lesser job gives way is worth more than that fewer do.
    for level in sorted({one.priority for one in there}):
        candidates = sorted((one for one in there if one.priority <= level), key=lambda one: -one.claim.since)
        # One or two are the usual case, and there all choices are few; of 64 slots there are 10¹⁸ choices of 32.
        for count in range(1, _EXHAUSTIVE + 1):
            for chosen in combinations(candidates, count):
                if _suffice(chosen, need, machine):
                    return list(chosen)
        if _suffice(candidates, need, machine):
            return _without_needless(candidates, need, machine)
    return None


def _without_needless(chosen: Sequence[Running], need: Need, machine: Machine) -> list[Running]:
    needed = list(chosen)
    for one in reversed(chosen):  # the oldest first: it stays if it can
        rest = [other for other in needed if other is not one]
        if _suffice(rest, need, machine):
            needed = rest
    return needed


def _suffice(chosen: Sequence[Running], need: Need, machine: Machine) -> bool:
    return isinstance(place(need, without(machine, chosen)), Place)


def without(machine: Machine, leaving: Sequence[Running]) -> Machine:
    """The machine once they have given way: without their claims, and what their processes have on GPUs."""
    gone = [one.claim for one in leaving]
    pids = {pid for one in leaving for pid in one.pids}
    gpus = [_freed(gpu, pids) for gpu in machine.gpus]
    return machine._replace(claims=[claim for claim in machine.claims if claim not in gone], gpus=gpus)


def _freed(gpu: Gpu, pids: Collection[int]) -> Gpu:
    rest = {pid: used for pid, used in gpu.processes.items() if pid not in pids}
    freed = sum(used or 0 for pid, used in gpu.processes.items() if pid in pids)
    return gpu._replace(free=min(gpu.total, gpu.free + freed), processes=rest)
