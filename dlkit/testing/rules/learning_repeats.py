"""A run is a function of its configuration."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import torch

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import attempt, learned, listed, run_to_end, trains, unlike


def check(subject: Subject) -> Iterator[Finding]:
    trains(subject.experiment())
    found = []
    for other in (1, 2):  # as two processes would have them, which nobody has seeded
        random.seed(other)
        np.random.seed(other)
        torch.default_generator.manual_seed(other)
        found.append(learned(run_to_end(attempt(subject))))
    if far := unlike(found[0], found[1]):
        yield Finding(f"two runs of one configuration end with other weights: {listed(far)}", "the same, bit for bit")


RULE = Rule(
    name="learning-repeats",
    tier="silver",
    kinds=("task", "dataset", "model", "loss", "trainer"),
    title="Two runs of one configuration end with the same weights",
    why="What cannot be repeated cannot be compared, nor resumed.",
    mend="Draw from what is seeded: dlkit.data.rng(seed, 'what for') for data, torch's global generator in models. "
    "Leave out default_rng() without a seed, sets whose order is by hash, and the clock.",
    buggy="noise = np.random.default_rng().normal(size=x.shape)",
    corrected="noise = torch.randn_like(x)",
    check=check,
)
