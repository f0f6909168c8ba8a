"""The cores that other jobs of this machine leave to a run that begins.

Who is there is told by claims, how many threads each has by its run's own run.json: no second book of them is kept.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from dlkit.cores import Cores, own_cores
from dlkit.errors import DlkitError
from dlkit.jobs.claims import Claim, claims
from dlkit.runs.folder import RunFolder

_NAMED = 3
"""Other jobs that are named."""


class _Other(NamedTuple):
    """A job that computes on the CPU: its threads on cores of ours, None while it does not say."""

    run: str
    threads: Fraction | None


class FreeCores:
    """Asked for the cores of each of a run's processes. ``run``: its own folder, where it has one already.

    A job that is still being built has not said yet how many threads it takes: it will share with this one, in equal
    parts, what the others leave. There is always one.
    """

    def __init__(self, run: RunFolder | None = None) -> None:
        self._own = run.path.resolve() if run is not None else None

    def __call__(self, processes: int) -> Cores:
        try:
            others = [_other(claim) for claim in claims() if "cpu" in claim.devices and self._is_other(claim)]
        except (OSError, DlkitError):  # claims are a courtesy: a run begins without them
            others = []
        others = [other for other in others if other.threads != 0]
        there = own_cores()
        taken = sum((other.threads for other in others if other.threads is not None), Fraction(0))
        sharing = 1 + sum(other.threads is None for other in others)
        free = int((there - taken) / sharing)
        return Cores(max(1, free // processes), _why(there, others) if others else "")

    def _is_other(self, claim: Claim) -> bool:
        return _folder(claim) != self._own


def _folder(claim: Claim) -> Path:
    return Path(claim.workspace, "runs", claim.run).resolve()


def _other(claim: Claim) -> _Other:
    try:
        record = RunFolder(_folder(claim)).read()
        threads, processes = record.get("threads"), record.get("processes", 1)
        if record.get("state") == "queued":  # its device is kept for it: it does not compute yet
            threads = 0
    except (OSError, ValueError):  # a run in a folder of its own, or one that has just gone
        threads, processes = None, 1
    if not isinstance(threads, int) or not isinstance(processes, int):
        return _Other(claim.run, None)
    return _Other(claim.run, threads * processes * _overlap(claim.pid))


def _overlap(pid: int) -> Fraction:
    """The part of a process's cores that are ours too: jobs that are bound to other cores take none of these."""
    if not hasattr(os, "sched_getaffinity"):
        return Fraction(1)
    try:
        theirs = os.sched_getaffinity(pid)
    except OSError:
        return Fraction(1)
    return Fraction(len(theirs & os.sched_getaffinity(0)), len(theirs))


def _why(there: int, others: list[_Other]) -> str:
    names = ", ".join(other.run for other in others[:_NAMED]) + (" and others" if len(others) > _NAMED else "")
    return f"of {there} cores others are in use by {names}"
