"""Which samples make up a batch is a function of seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlkit.data.plans import Plan
from dlkit.data.randomness import forked
from dlkit.data.splits import Split
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject

FEW = 8
"""Samples, of which two orders may well be the same."""


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    split, size, seed = job.data.train, job.resolved.engine.batch_size, job.resolved.engine.seed
    plan = _plan(split, seed, 0, size, "one")
    if not _same(plan, _plan(split, seed, 0, size, "two")):
        yield Finding("asked twice for an epoch, its planner gives two orders", "a function of (seed, epoch)")
        return
    if len(plan.order) and not (plan.order.min() >= 0 and plan.order.max() < len(split)):
        seen = f"an epoch has samples {plan.order.min()} to {plan.order.max()}"
        yield Finding(seen, f"0 to {len(split) - 1}")
    counted = split.planner.length(len(split), seed, 0, size)
    if counted != len(plan):
        yield Finding(f"planner.length says {counted} batches, its plan has {len(plan)}", "as many as the plan has")
    if len(split) >= FEW and len(plan.order) >= FEW and _same(plan, _plan(split, seed, 1, size, "one")):
        yield Finding("epochs 0 and 1 have their samples in one order", "another order in every epoch")
    if not len(plan) or min(plan.sizes) < 1:
        yield Finding(f"an epoch of {len(split)} samples has {len(plan)} batches, one of them empty", "full batches")


def _plan(split: Split, seed: int, epoch: int, size: int, beside: str) -> Plan:
    with forked(seed, beside):
        return split.planner.plan(len(split), seed, epoch, size)


def _same(one: Plan, other: Plan) -> bool:
    return np.array_equal(one.order, other.order) and np.array_equal(one.bounds, other.bounds)


RULE = Rule(
    name="data-order-from-the-seed",
    tier="silver",
    kinds=("dataset",),
    title="The order of an epoch is a function of seed and epoch, another in every epoch",
    why="The loader's whole state is (epoch, batch): a resume in the middle of an epoch asks for its order again.",
    mend="Draw in Planner.plan from dlkit.data.rng(seed, 'order', epoch), and nowhere else.",
    buggy="order = np.random.default_rng().permutation(size)",
    corrected='order = rng(seed, "order", epoch).permutation(size)',
    check=check,
)
