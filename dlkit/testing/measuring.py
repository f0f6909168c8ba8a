"""A task's metrics over the validation split, cut as one likes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dlkit.data.randomness import forked
from dlkit.data.splits import Batch
from dlkit.engine.build import Job
from dlkit.engine.distributed import World
from dlkit.engine.evaluation import Meter
from dlkit.testing.trying import SEED, part, rows

ALLOWED = 1e-4
"""Of a metric, or of 1 where it is smaller."""
COUNT = 24


def measured(job: Job, batches: Sequence[Batch], world: World | None = None) -> dict[str, float]:
    """Metrics and losses, by bare name, of these batches."""
    meter = Meter(job.trainer, job.task, job.info, world)
    with forked(SEED, "measure"), job.trainer.evaluating():
        for batch in batches:
            meter.update(batch)
    return {name.partition("/")[2]: value for name, value in meter.compute("val").items()}


def validation(job: Job) -> Batch:
    """What is measured."""
    return rows(job.data.val, min(COUNT, len(job.data.val)))


def in_parts(batch: Batch, size: int) -> list[Batch]:
    """A batch in smaller ones of this size, the last perhaps smaller."""
    count = len(next(iter(batch.values())))
    return [part(batch, first, min(first + size, count)) for first in range(0, count, size)]


def metrics_apart(one: Mapping[str, float], other: Mapping[str, float], allowed: float = ALLOWED) -> str:
    """Which metric differs first, as ``accuracy is 0.5 and 0.6``; empty: none."""
    if one.keys() != other.keys():
        return f"there is {', '.join(sorted(one.keys() ^ other.keys()))} in one of them only"
    for name, a in one.items():
        b = other[name]
        if not (a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= allowed * max(1.0, abs(a))):
            return f"{name} is {a:.6g} and {b:.6g}"
    return ""
