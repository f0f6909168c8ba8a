"""What is learned in training helps in validation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from statistics import fmean, stdev

import torch

from dlkit.data.randomness import forked
from dlkit.data.splits import Batch, Split
from dlkit.engine.build import Job
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, again, followed, outputs_of, rows

SIZE, MEASURED, STEPS, ENOUGH, BETWEEN = 16, 128, 1500, 300, 20
SECONDS = {True: 3.0, False: 15.0}
BETTER = 0.03
"""By how much samples must fit their own targets better than those of others."""
FEWEST = (48, 16)
"""Samples to train on, and to validate on, of which something can be said."""
CHANCE = 0.6
"""Of what would be sure, that chance does not reach: neither learned for certain nor certainly not, between the two."""
TURNS, SURE = 7, 3.0
"""How often targets are turned to other samples, and of those losses' deviations, how many it must be lower by."""


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    followed(job)
    if len(job.data.train) < FEWEST[0] or len(job.data.val) < FEWEST[1]:
        raise Skipped(f"{len(job.data.train)} samples to train on, {len(job.data.val)} to validate: too few to tell")
    job = again(subject, {"engine": {"steps": STEPS, "epochs": None, "batch_size": SIZE, "limit_batches": None}})
    before = {name: _gap(job, job.data.splits[name]) for name in ("train", "val")}
    if before["train"] is None:
        raise Skipped("its samples are alike, or the trainer evaluates no loss")
    steps = _train(job, SECONDS[subject.quick])
    for name in ("train", "val"):
        own, crossed = _gap(job, job.data.splits[name]) or (0.0, [1.0])
        if not _fits(own, crossed, 1.0):
            seen = f"after {steps} steps, the loss of {name} is {own:.4g}; with others' targets {_told(crossed)}"
            begun = (before[name] or (own, crossed))[0]
            if steps < ENOUGH or (_fits(own, crossed, CHANCE) and own < begun):
                raise Skipped(f"{seen}: not yet to be told, and there is no time for more")
            yield Finding(seen, f"lower with its own, by {BETTER:.0%} at least", f"split {name!r}")
            return


def _fits(own: float, crossed: Sequence[float], times: float) -> bool:
    """Whether samples fit their own targets better than others', by more than those differ among themselves."""
    mean, spread = fmean(crossed), stdev(crossed) if len(crossed) > 1 else 0.0
    # Half of what others' targets cost is no chance, however much those differ.
    return own < mean - times * max(BETTER * abs(mean), min(SURE * spread, 0.5 * abs(mean)))


def _told(crossed: Sequence[float]) -> str:
    return f"{fmean(crossed):.4g} ({min(crossed):.4g} to {max(crossed):.4g})"


def _train(job: Job, seconds: float) -> int:
    """Until both splits show it, or time is over; how many steps that took."""
    split, began, step, epoch = job.data.train, time.monotonic(), 0, 0
    with forked(SEED, "carries over"):
        while True:
            plan = split.planner.plan(len(split), SEED, epoch, SIZE)
            for batch in split.batches(plan, seed=SEED, epoch=epoch):
                job.trainer.model.train()
                job.trainer.step([batch], step)
                step += 1
                seen = time.monotonic() - began
                if step >= STEPS or seen > (seconds if step >= ENOUGH else 3 * seconds):
                    return step
                if step % BETWEEN == 0 and all(_shown(job, name) for name in ("train", "val")):
                    return step
            epoch += 1


def _shown(job: Job, name: str) -> bool:
    found = _gap(job, job.data.splits[name])
    return found is not None and _fits(found[0], found[1], 1.5)


def _gap(job: Job, split: Split) -> tuple[float, list[float]] | None:
    """The loss of samples with their own targets, and with those of several others; None where all are alike."""
    batch = rows(split, min(MEASURED, len(split)))
    outputs = outputs_of(job, batch)
    own = _loss(job, outputs, batch)
    if own is None or all(torch.equal(column, column.roll(1, 0)) for column in batch.values()):
        return None
    count = len(next(iter(batch.values())))
    turns = sorted({max(1, count * turn // (TURNS + 1)) for turn in range(1, TURNS + 1)})
    losses = [_loss(job, outputs, {name: c.roll(turn, 0) for name, c in batch.items()}) for turn in turns]
    return own, [loss for loss in losses if loss is not None]


def _loss(job: Job, outputs: object, targets: Batch) -> float | None:
    with forked(SEED, "gap"), torch.no_grad():
        found = job.trainer.evaluate_losses(outputs, targets)
    return float(found["loss"]) if "loss" in found else None


RULE = Rule(
    name="learning-carries-over",
    tier="silver",
    kinds=("task", "dataset"),
    title="After a little training, samples of both splits fit their own targets better than those of others",
    why="Labels that were shuffled apart from their samples, or encoded otherwise in validation, are learned by heart "
    "and tell nothing: no error is raised, and training loss falls.",
    mend="Index samples and targets by one permutation; make both splits by one function, with the classes, scales and "
    "vocabulary of the training split.",
    buggy="train = TensorSplit({'x': x[order], 'label': labels})",
    corrected="train = TensorSplit({'x': x[order], 'label': labels[order]})",
    check=check,
)
