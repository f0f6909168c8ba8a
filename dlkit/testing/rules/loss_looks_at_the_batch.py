"""A loss compares outputs with their own sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from dlkit.data.randomness import forked
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, followed, outputs_of, rows, unlike

COUNT, TURNED = 12, 5


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    followed(job)
    if len(job.data.train) < 2:
        raise Skipped("there is one sample: it cannot be taken for another")
    batch = rows(job.data.train, COUNT)
    others = {name: column.roll(TURNED, 0) for name, column in batch.items()}
    if not unlike(batch, others):
        raise Skipped("its samples are alike")
    outputs, loss = outputs_of(job, batch), job.trainer.setup.loss
    with torch.no_grad():
        with forked(SEED, "loss"):
            own: Mapping[str, Tensor] = loss(outputs, batch)
        with forked(SEED, "loss"):
            crossed: Mapping[str, Tensor] = loss(outputs, others)
    if float(own["loss"]) == float(crossed["loss"]):
        seen = f"with the targets of other samples 'loss' is the same, {float(own['loss']):.6g}"
        yield Finding(seen, "a loss that depends on what is in the batch")


RULE = Rule(
    name="loss-looks-at-the-batch",
    tier="silver",
    kinds=("loss",),
    title="The loss depends on the batch's targets",
    why="What does not depend on the targets cannot teach them: it falls, and nothing is learned.",
    mend="Compare the outputs with the batch's own columns; see that targets are not made of the outputs.",
    buggy="return {'loss': F.cross_entropy(logits, logits.argmax(1))}",
    corrected="return {'loss': F.cross_entropy(logits, batch['label'])}",
    check=check,
)
