"""The memory that a stack takes: said before it is trained, and compared with what is free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from dlkit.engine.build import Job
from dlkit.engine.room import free_memory
from dlkit.errors import UsageError
from dlkit.present.numbers import size

COPIES = {"sgd": 1, "adam": 2, "adamw": 2}
"""Numbers that the optimizer keeps for each parameter."""
SNAPSHOTS = 2
"""Of a row's weights and optimizer, in memory: one being written, one that waits."""
CACHED = 16 << 20
"""Bytes of weights up to which more rows cost less each: beyond, every step fetches them from memory again.
(MNIST's perceptron of 0.4 MB: twice as fast for 16 rows, no faster for 256.)"""


def bytes_of_row(job: Job) -> int:
    """What one more row takes: weights, gradients, the optimizer's numbers, snapshots; activations of a batch."""
    weights = _weights(job)
    optimizer = COPIES[str(getattr(job.trainer.config, "optimizer", "adamw"))]
    kept = weights * (3 + optimizer + SNAPSHOTS * (1 + optimizer))
    layers = cast("list[dict[str, list[int]]]", cast("dict[str, object]", job.summary["model"])["layers"])
    numbers = sum(math.prod(layer["output"]) for layer in layers)
    item = max((p.element_size() for p in job.trainer.model.parameters()), default=0)
    # Each twice: what the backward pass needs, and the gradient that comes to it.
    return kept + 2 * numbers * item * job.resolved.engine.batch_size


def rows_that_fit(job: Job) -> int:
    """How many rows are trained as one at best: as many as caches gain from, and memory has room for."""
    most = min(CACHED // max(1, _weights(job)), free_memory() // 2 // max(1, bytes_of_row(job)))
    return max(1, most)


def check_stack(jobs: Sequence[Job]) -> int:
    """The bytes that a stack takes; UsageError if that is more than is free."""
    needed, free = sum(map(bytes_of_row, jobs)), free_memory()
    if needed > free:
        fits = max(1, free // 2 // max(1, bytes_of_row(jobs[0])))
        raise UsageError(
            f"{len(jobs)} runs as one take about {size(needed)} of memory; {size(free)} are free: stack at most {fits}"
        )
    return needed


def _weights(job: Job) -> int:
    return sum(p.numel() * p.element_size() for p in job.trainer.model.parameters())
