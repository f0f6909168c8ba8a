"""A loss is a function of outputs and batch, and changes neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from dlkit.data.randomness import forked
from dlkit.engine.build import Job
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, again, copied, followed, listed, outputs_of, rows, unlike


def check(subject: Subject) -> Iterator[Finding]:
    followed(subject.experiment())
    job = again(subject)  # it may keep something
    batch = rows(job.data.train, 16)
    outputs = copied(outputs_of(job, batch))
    given, columns = copied(outputs), copied(batch)
    first = _losses(job, outputs, batch)
    if found := {**unlike(given, outputs), **unlike(columns, batch)}:
        yield Finding(f"it changes what it is given, in place: {listed(found)}", "outputs and batch left as they are")
        return
    if found := unlike(first, _losses(job, outputs, batch)):
        yield Finding(f"of the same outputs and batch, asked twice: {listed(found)}", "the same values")


def _losses(job: Job, outputs: object, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    with forked(SEED, "loss"), torch.no_grad():
        found: Mapping[str, Tensor] = job.trainer.setup.loss(outputs, batch)
    return dict(found)


RULE = Rule(
    name="loss-same-twice",
    tier="silver",
    kinds=("loss",),
    title="A loss gives the same for the same outputs, and changes neither them nor the batch",
    why="Evaluation asks it too: a loss that counts its calls, or sorts its targets in place, makes training depend on "
    "how often one looks.",
    mend="Keep no state, or keep it as a buffer of an nn.Module that only training changes; use out-of-place "
    "operations.",
    buggy="batch['y'].clamp_(min=0)",
    corrected="target = batch['y'].clamp(min=0)",
    check=check,
)
