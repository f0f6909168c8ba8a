"""A model learns one small batch by heart."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import torch

from dlkit.data.randomness import forked
from dlkit.data.splits import Batch
from dlkit.engine.build import Job
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.measuring import measured
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, again, outputs_of, rows, trains

SIZE, STEPS, ENOUGH, BETWEEN = 4, 400, 100, 10
SECONDS = {True: 3.0, False: 12.0}
"""Of this thread's own computing: on a busy machine it waits for a core, which is nobody's fault."""
STILL = 0.98
"""Of the loss some looks ago: what is below that is still falling, and would have come there."""
WORSE = 0.3
"""Of the primary metric, or of 1: one sample of four may well change sides."""
SHARE = 0.6
"""Of the first loss, that must be reached where the package's check.toml states no overfit_loss."""


def check(subject: Subject) -> Iterator[Finding]:
    trains(subject.experiment())
    job = again(subject, {"engine": {"steps": STEPS, "epochs": None, "overfit_batches": 1}})
    batch = rows(job.data.train, SIZE)
    first = _loss(job, batch)
    if first is None:
        raise Skipped(f"trainer {job.resolved.specs['trainer'].name!r} minimises no one loss")
    better, before = _metric(job, batch)
    stated = subject.stated.get("overfit_loss")
    goal = float(stated) if isinstance(stated, (int, float)) else _goal(first)
    until, last, step = time.thread_time() + SECONDS[subject.quick], first, 0
    losses = [first]
    with forked(SEED, "overfit"):
        while step < STEPS and last > goal and time.thread_time() < until:
            job.trainer.model.train()
            job.trainer.step([batch], step)
            step += 1
            if step % BETWEEN == 0:
                last = _loss(job, batch) or 0.0
                losses.append(last)
    if not last <= goal:
        seen = f"after {step} steps on the same {SIZE} samples the loss is {last:.4g}; it began at {first:.4g}"
        falling = math.isfinite(last) and last < STILL * losses[max(0, len(losses) - 6)]
        if (step < ENOUGH and math.isfinite(last)) or (step < STEPS and falling):
            raise Skipped(f"{seen}: too few to tell, and there is no time for more")
        how = "as check.toml states" if stated is not None else f"{SHARE:g} of the first"
        yield Finding(seen, f"{goal:.4g} or less ({how})")
        return
    after = _metric(job, batch)[1]
    if before is not None and after is not None and better * (after - before) < -WORSE * max(1.0, abs(before)):
        name, way = job.resolved.task.metric, "higher" if better > 0 else "lower"
        seen = f"the loss fell from {first:.4g} to {last:.4g}, and {name} went from {before:.4g} to {after:.4g}"
        yield Finding(seen, f"{way}, as TaskSpec.direction says: loss and metric agree", name)


def _metric(job: Job, batch: Batch) -> tuple[int, float | None]:
    """Which way the task's primary metric is better, and what it is of these samples."""
    task = job.resolved.task
    return (1 if task.direction == "max" else -1), measured(job, [batch]).get(task.metric.partition("/")[2])


def _goal(first: float) -> float:
    return first * SHARE if first > 0 else first - 0.1 * abs(first)


def _loss(job: Job, batch: Batch) -> float | None:
    with forked(SEED, "overfit loss"), torch.no_grad():
        found = job.trainer.evaluate_losses(outputs_of(job, batch), batch)
    return float(found["loss"]) if "loss" in found else None


RULE = Rule(
    name="learning-overfits",
    tier="silver",
    kinds=("model", "loss", "trainer"),
    title="One small batch, seen again and again, is learned by heart",
    why="Whoever cannot learn four samples learns nothing: the quickest proof that loss, gradient and update agree.",
    mend="See that the loss is differentiated as it is (no minus, no argmax on the way), that the learning rate fits, "
    "that the output layer has no activation which the loss does not expect. Where there is a limit (an entropy), "
    "state it in the package's check.toml: overfit_loss = 1.2.",
    buggy="return {'loss': -F.cross_entropy(logits, labels)}",
    corrected="return {'loss': F.cross_entropy(logits, labels)}",
    check=check,
)
