"""An untrained model knows nothing, and is not sure of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from dlkit.data.randomness import forked
from dlkit.data.trees import map_tensors
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, followed, outputs_of, rows

COUNT = 64
ALLOWED = 2.0
"""Times what is lost by saying nothing."""


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    followed(job)
    batch = rows(job.data.train, min(COUNT, len(job.data.train)))
    outputs, loss = outputs_of(job, batch), job.trainer.setup.loss
    with forked(SEED, "loss"), torch.no_grad():
        own: Mapping[str, Tensor] = loss(outputs, batch)
    with forked(SEED, "loss"), torch.no_grad():
        nothing: Mapping[str, Tensor] = loss(map_tensors(_zero, outputs), batch)
    first, expected = float(own["loss"]), float(nothing["loss"])
    if not expected > 1e-6:
        raise Skipped(f"outputs of 0 have a loss of {expected:g}: 0 says something here")
    if not first <= ALLOWED * expected:
        seen = f"untrained, the loss of {len(next(iter(batch.values())))} samples is {first:.4g}"
        yield Finding(seen, f"about {_expected(expected, job.info)}; at most {ALLOWED:g} times that")


def _zero(tensor: Tensor) -> Tensor:
    return torch.zeros_like(tensor) if tensor.is_floating_point() else tensor


def _expected(value: float, info: object) -> str:
    classes = getattr(info, "classes", None)
    if classes and math.isclose(value, math.log(len(classes)), rel_tol=1e-3):
        return f"{value:.4g}, ln {len(classes)}: every class as likely"
    return f"{value:.4g}, the loss of outputs that are all 0"


RULE = Rule(
    name="loss-at-the-start",
    tier="gold",
    kinds=("model", "loss"),
    title="Before training, the loss is near its expected value: ln C of C classes",
    why="Far above it, the first weights are too large or the targets not scaled: the first epochs undo that, and may "
    "never get out of it.",
    mend="Draw weights by fan-in (torch's default), begin the last layer small, scale what is to be predicted to unit "
    "variance in the data set.",
    buggy="nn.init.normal_(self.head.weight, std=1.0)",
    corrected="nn.init.normal_(self.head.weight, std=0.01)",
    check=check,
)
