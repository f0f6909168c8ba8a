"""Metrics do not depend on the order of samples."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.measuring import ALLOWED, in_parts, measured, metrics_apart, validation
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    batch = validation(job)
    count = len(next(iter(batch.values())))
    if count < 3:
        raise Skipped(f"{count} samples have no order to speak of")
    order = torch.arange(count).flip(0)
    turned = {name: column[order] for name, column in batch.items()}
    if told := metrics_apart(measured(job, in_parts(batch, 5)), measured(job, in_parts(turned, 5))):
        yield Finding(f"{count} samples forwards and backwards: {told}", f"the same, within {ALLOWED:g}")


RULE = Rule(
    name="metrics-in-any-order",
    tier="silver",
    kinds=("task",),
    title="Metrics are the same in any order of the samples",
    why="The order of a split is a matter of how it was read; several processes see it in pieces.",
    mend="Keep no last value, no running average: sums and counts alone, or all rows, ranked in compute.",
    buggy="self.value = 0.9 * self.value + 0.1 * batch_value",
    corrected="self.total += batch_total\nself.count += batch_count",
    check=check,
)
