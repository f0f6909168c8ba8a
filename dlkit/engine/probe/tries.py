"""The range test of learning rates, and whether a batch fits: a few steps without a run."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping
from contextlib import closing

from dlkit.data.splits import Batch
from dlkit.engine.build import Job
from dlkit.engine.loader import Loader, evaluation_batches
from dlkit.engine.placing import place
from dlkit.engine.probe.memory import peak_memory
from dlkit.errors import UsageError
from dlkit.json_types import Json

RISEN = 4.0
"""The sweep ends where the loss is so many times the lowest: there is nothing beyond (Smith 2017)."""
SMOOTHED = 0.8
"""Share of the past in the smoothed loss of a sweep."""
CONSTANT: Mapping[str, Json] = {"schedule": "constant", "warmup": 0.0}


def sweep_rates(job: Job, low: float, high: float, steps: int) -> dict[str, object]:
    """The range test of Smith (2017, arXiv 1506.01186): the rate rises by a factor a step; ``rates``, ``losses``
    and ``smoothed`` up to where the loss rises, and the ``suggested`` rate. UsageError: the trainer has no rate."""
    config = job.trainer.config
    if not hasattr(config, "lr") or job.trainer.rates() is None:
        raise UsageError(f"trainer {job.resolved.specs['trainer'].name!r} has no learning rate to be swept")
    found: dict[str, list[float]] = {"rates": [], "losses": [], "smoothed": []}
    average, lowest = 0.0, math.inf
    with closing(_batches(job)) as batches:
        for step, batch in zip(range(steps), batches, strict=False):
            rate = low * (high / low) ** (step / max(1, steps - 1))
            job.trainer.change(config.model_copy(update={"lr": rate}))
            loss = float(job.trainer.step(batch, step)["train/loss"])
            if not math.isfinite(loss):
                break
            average = SMOOTHED * average + (1 - SMOOTHED) * loss
            smooth = average / (1 - SMOOTHED ** (step + 1))
            for name, value in (("rates", rate), ("losses", loss), ("smoothed", smooth)):
                found[name].append(value)
            lowest = min(lowest, smooth)
            if smooth > RISEN * abs(lowest) and step > steps // 10:
                break
    return {**found, "suggested": suggested(found["rates"], found["smoothed"])}


def try_batch(job: Job) -> dict[str, object]:
    """Two steps and an evaluated batch: an optimizer has all it keeps after the first."""
    with closing(_batches(job)) as batches:
        began = time.monotonic()
        for step, batch in zip(range(2), batches, strict=False):
            began = time.monotonic()
            job.trainer.step(batch, step)
        took = time.monotonic() - began
    if job.data.val is not None:
        val = job.data.val.to(job.placement.device, job.resolved.engine.workers)
        with job.trainer.evaluating():
            job.trainer.evaluate(next(iter(evaluation_batches(val, job.resolved.engine))))
        val.close()
    return {"seconds": took, "memory": peak_memory(), "samples": len(job.data.train)}


def _batches(job: Job) -> Generator[list[Batch], None, None]:
    """Training batches, step by step."""
    engine, device = job.resolved.engine, job.placement.device
    train, val = place(job.data, engine, device)
    try:
        yield from Loader(train, job.data.augment, engine, device, job.course, job.world).steps()
    finally:
        train.close()
        val.close()


def suggested(rates: list[float], smoothed: list[float]) -> float | None:
    """The middle of the longest fall of the smoothed loss: of its longest decreasing subsequence, which noise between
    does not end (the "valley" of fastai's finder). None: it never falls for a tenth of the sweep."""
    count = len(smoothed)
    lengths, before = [1] * count, [-1] * count
    for i in range(count):
        for j in range(i):
            if smoothed[j] > smoothed[i] and lengths[j] + 1 > lengths[i]:
                lengths[i], before[i] = lengths[j] + 1, j
    if max(lengths, default=0) < max(5, count // 10):
        return None
    path = [max(range(count), key=lambda i: lengths[i])]
    while before[path[-1]] >= 0:
        path.append(before[path[-1]])
    return rates[path[len(path) // 2]]
