"""Nothing random happens in evaluation."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from dlkit.data.plans import in_order
from dlkit.data.randomness import forked
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import copied, listed, rows, unlike

COUNT = 6


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    for name, split in job.data.splits.items():
        count = min(COUNT, len(split))
        with forked(1, "one"):
            first = copied(rows(split, count))
        with forked(2, "another"):
            state = torch.get_rng_state()
            second = rows(split, count)
            if not torch.equal(state, torch.get_rng_state()):
                yield Finding("take() draws from torch's generator", "nothing random", f"split {name!r}")
            (whole,) = split.batches(in_order(count, count), seed=3, epoch=None)
        if found := unlike(first, second):
            yield Finding(f"take() of the same samples, twice: {listed(found)}", "the same values", f"split {name!r}")
        elif found := unlike(first, whole):
            seen = f"batches(epoch=None) and take() of the same samples differ: {listed(found)}"
            yield Finding(seen, "the same values", f"split {name!r}")


RULE = Rule(
    name="data-evaluation-draws-nothing",
    tier="silver",
    kinds=("dataset",),
    title="Evaluation sees every sample as it is, the same every time",
    why="Metrics of two steps can be compared only if they were measured on the same numbers.",
    mend="In MapSplit.sample the rng is None in evaluation: change nothing then. Split.transform is for what is the "
    "same in training and evaluation; what is random belongs into sample or into Data.augment.",
    buggy="def transform(batch):\n    return {**batch, 'x': batch['x'] + 0.1 * torch.randn_like(batch['x'])}",
    corrected="class Noise(Augment): ...  # Data(train, val, info, augment=Noise())",
    check=check,
)
