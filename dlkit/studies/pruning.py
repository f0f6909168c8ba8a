"""Trials that are not worth their time are stopped: by the median of the others, or by Hyperband.

Both go by what the log has, and by nothing else: whoever decides comes to the same.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from dlkit.errors import UsageError, nearest
from dlkit.present.numbers import number
from dlkit.studies.state import State, Trial

PRUNERS = ("median", "hyperband")
LEAST = 4
"""Other trials that have come so far before one is judged by their median."""
FACTOR = 3
"""Hyperband keeps one in so many at each rung, whose trials are so many times longer than those before."""
RUNGS = 3
"""From the first rung, a 27th of a trial, to its end."""
Course = Mapping[int, float]
"""The primary metric by step."""


def check_pruner(name: str) -> None:
    """UsageError for a name that there is not."""
    if name and name not in PRUNERS:
        raise UsageError(f"--prune {name!r}: {nearest(name, PRUNERS)}")


def verdict(pruner: str, state: State, trial: Trial, direction: str, total: int) -> str:
    """Why a trial is to be stopped where it is now; empty: it is not. ``total``: steps of a whole trial."""
    if not trial.values:
        return ""
    others = [other for other in state.trials.values() if other is not trial]
    if pruner == "median":
        return by_median(trial.values, [other.values for other in others], direction)
    bracket = trial.number % (RUNGS + 1)
    rivals = [other.values for other in others if other.number % (RUNGS + 1) == bracket]
    return by_hyperband(trial.values, rivals, direction, total, bracket)


def by_median(values: Course, others: Sequence[Course], direction: str) -> str:
    """The median stopping rule (Golovin et al. 2017): the best so far is worse than the median of what the others had
    come to by that step. Judged from LEAST others on, so that the first trials, which are like any, are whole."""
    step = max(values)
    reached = [_best(other, step, direction) for other in others if max(other, default=-1) >= step]
    finite = [value for value in reached if math.isfinite(value)]
    if len(finite) < LEAST:
        return ""
    middle, own = statistics.median(finite), _best(values, step, direction)
    if (own > middle) if direction == "min" else (own < middle):
        return f"pruned at step {step}: {number(own)}, worse than the median {number(middle)} of {len(finite)} others"
    return ""


def by_hyperband(values: Course, rivals: Sequence[Course], direction: str, total: int, bracket: int) -> str:
    """Hyperband (Li et al. 2018), asynchronously (Li et al. 2020): trials are dealt out to brackets, of which each has
    a later first rung than the one before, so that what learns slowly is not lost in all of them. At a rung a trial
    goes on if it is among the best third of its bracket that came to it. The last bracket stops none."""
    step = max(values)
    before = max((other for other in values if other < step), default=0)
    rungs = [math.ceil(total / FACTOR ** (RUNGS - place)) for place in range(bracket, RUNGS)]
    passed = [rung for rung in rungs if before < rung <= step]
    if not passed:
        return ""
    rung, own = passed[-1], _best(values, step, direction)
    came = [other for other in rivals if max(other, default=-1) >= rung]
    there = [_best(other, min(s for s in other if s >= rung), direction) for other in came]
    better = sum((value < own) if direction == "min" else (value > own) for value in there)
    kept = max(1, (len(there) + 1) // FACTOR)
    if better < kept:
        return ""
    return f"pruned at step {step}: {number(own)}, not among the best {kept} of {len(there) + 1} at this rung"


def _best(values: Course, step: int, direction: str) -> float:
    """The best by a step; infinitely bad where there is none."""
    found = [value for s, value in values.items() if s <= step and not math.isnan(value)]
    if direction == "min":
        return min(found, default=math.inf)
    return max(found, default=-math.inf)
