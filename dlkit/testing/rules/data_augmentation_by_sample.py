"""Augmentation is drawn by the engine, and of each sample for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch

from dlkit.data.randomness import forked, rng
from dlkit.data.splits import Augment, Batch
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import ROUNDING, copied, listed, part, rows, unlike

COUNT = 6


def check(subject: Subject) -> Iterator[Finding]:
    data = subject.experiment().data
    if data.augment is None:
        raise Skipped("it augments nothing")
    batch = rows(data.train, COUNT)
    drawn = data.augment.draw(rng(1, "augment"), COUNT)
    again = data.augment.draw(rng(1, "augment"), COUNT)
    if any(not np.array_equal(values, again[name]) for name, values in drawn.items()):
        yield Finding("draw() of one generator, twice, gives other numbers", "draws from the generator it is given")
    with forked(1, "one"):
        whole = _applied(data.augment, batch, drawn, 0, COUNT)
    with forked(2, "another"):
        same = _applied(data.augment, batch, drawn, 0, COUNT)
    if found := unlike(whole, same):
        yield Finding(f"apply() of the same draws, twice: {listed(found)}", "a function of batch and draws")
        return
    halves = [_applied(data.augment, batch, drawn, first, first + COUNT // 2) for first in (0, COUNT // 2)]
    joined = {name: torch.cat([half[name] for half in halves]) for name in whole if halves[0][name].dim()}
    if all(joined[name].shape == whole[name].shape for name in joined) and (found := unlike(whole, joined, ROUNDING)):
        seen = f"a batch's halves, each with its own draws, differ from the whole: {listed(found)}"
        yield Finding(seen, "each sample changed by its own row of the draws")


def _applied(augment: Augment, batch: Batch, drawn: Mapping[str, object], first: int, end: int) -> Batch:
    given: Batch = copied(part(batch, first, end))  # type: ignore[assignment]  # of the same form
    return augment.apply(
        given, {name: torch.from_numpy(np.asarray(values)[first:end]) for name, values in drawn.items()}
    )


RULE = Rule(
    name="data-augmentation-by-sample",
    tier="silver",
    kinds=("dataset",),
    title="An augmentation is a function of a sample and of what was drawn for it",
    why="Each of several processes applies its own slice of the draws, and a resume draws them again: what is drawn "
    "elsewhere, or what depends on the other samples of a batch, is then another augmentation.",
    mend="Draw everything in Augment.draw, [count, …] from the generator it is given; Augment.apply draws nothing.",
    buggy="def apply(self, batch, drawn):\n    return {**batch, 'x': batch['x'].flip(-1) if random.random() < 0.5 "
    "else batch['x']}",
    corrected="def draw(self, rng, count):\n    return {'flip': rng.random(count) < 0.5}",
    check=check,
)
