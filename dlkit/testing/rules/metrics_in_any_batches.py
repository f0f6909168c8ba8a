"""Metrics are of a split, not of its batches."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.measuring import ALLOWED, in_parts, measured, metrics_apart, validation
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject

SIZES = (1, 5, 7)
"""24 = 4·5 + 4 = 3·7 + 3: the last batch is smaller than the others."""


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    batch = validation(job)
    count = len(next(iter(batch.values())))
    whole = measured(job, [batch])
    for size in SIZES:
        if told := metrics_apart(whole, measured(job, in_parts(batch, size))):
            seen = f"{count} samples at once and in batches of {size}: {told}"
            yield Finding(seen, f"the same, within {ALLOWED:g}", f"batches of {size}")
            return


RULE = Rule(
    name="metrics-in-any-batches",
    tier="silver",
    kinds=("task",),
    title="Metrics are the same however the split is cut into batches",
    why="engine.eval_batch_size is a matter of memory. A mean of batches' means gives the last, smaller one too much.",
    mend="Add up sums and counts in update, divide once in compute.",
    buggy="self.values.append((outputs - y).square().mean())\n…\nreturn {'mse': "
    "float(torch.stack(self.values).mean())}",
    corrected="self.total += (outputs - y).square().sum()\nself.count += len(y)\n…\nreturn {'mse': float(self.total) / "
    "self.count}",
    check=check,
)
