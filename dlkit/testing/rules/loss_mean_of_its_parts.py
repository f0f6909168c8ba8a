"""The loss of a batch is that of its parts, put together as it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from dlkit.data.randomness import forked
from dlkit.engine.build import Job
from dlkit.engine.means import RunningMeans
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, again, cut, followed, outputs_of, part, rows

COUNT, CUTS = 8, ((0, 1), (1, 3), (3, 8))
ALLOWED = 1e-3
LARGER = 3.0


def check(subject: Subject) -> Iterator[Finding]:
    followed(subject.experiment())
    job = again(subject)
    _make_sure(job)
    batch = rows(job.data.train, COUNT)
    outputs, loss = outputs_of(job, batch), job.trainer.setup.loss
    means = RunningMeans(job.trainer.means)
    with torch.no_grad(), forked(SEED, "parts"):
        whole: Mapping[str, Tensor] = loss(outputs, batch)
        for first, end in CUTS:
            own = part(batch, first, end)
            means.add(loss(cut(outputs, first, end, COUNT), own), own)
    for name, value in means.numbers().items():
        right = float(whole[name])
        if abs(value - right) > ALLOWED * max(1.0, abs(right)):
            seen = f"of {COUNT} samples {name!r} is {right:.6g}, put together of 1 + 2 + 5 samples: {value:.6g}"
            yield Finding(seen, "the same: a mean over samples, or over what its counts() says", name)


def _make_sure(job: Job) -> None:
    """Larger weights: an untrained model says nearly the same of all, of which every mean is the same."""
    with torch.no_grad():
        for parameter in job.trainer.model.parameters():
            if parameter.is_floating_point():
                parameter.mul_(LARGER)


RULE = Rule(
    name="loss-mean-of-its-parts",
    tier="silver",
    kinds=("loss",),
    title="Its entries are means over samples, or over what its counts() counts",
    why="Micro-batches, processes and the batches of an evaluation are parts of a whole: a sum, or a mean over tokens "
    "that does not say so, makes engine.accumulate and nproc train something else.",
    mend="Take the mean over samples; of a mean over tokens or objects say how many there are in counts(batch, model).",
    buggy="return {'loss': F.cross_entropy(logits, labels, reduction='sum')}",
    corrected="return {'loss': F.cross_entropy(logits, labels)}",
    check=check,
)
