"""Two batches whose gradients are accumulated are one of double size."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import again, gradients, part, rows, share_apart, still, trains

FIRST, COUNT = 3, 8
ALLOWED = 1e-2
"""Of the largest gradient: sums of other parts round otherwise."""


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    trains(job)
    if "accumulate" not in job.trainer.supports:
        raise Skipped(f"trainer {job.resolved.specs['trainer'].name!r} does not support it")
    batch = rows(job.data.train, COUNT)
    found = []
    for parts in ([batch], [part(batch, 0, FIRST), part(batch, FIRST, COUNT)]):
        other = again(subject, {"engine": {"accumulate": len(parts), "clip": 0.0}})
        with still(other):
            found.append(gradients(other, parts))
    far = share_apart(found[0], found[1])
    if not far <= ALLOWED:
        seen = (
            f"gradients of {FIRST} + {COUNT - FIRST} samples are {far:.3g} of the largest off those of {COUNT} at once"
        )
        yield Finding(seen, f"the same, within {ALLOWED:g}")


RULE = Rule(
    name="engine-accumulates",
    tier="silver",
    kinds=("model", "loss", "trainer"),
    title="engine.accumulate = 2 makes the step of a batch of double size",
    why="Whoever has less memory accumulates, and wants the same run.",
    mend="Let losses be means over samples, or say in counts() over what; in a step of your own weigh each micro-batch "
    "by its share of the samples (Trainer.sample_shares).",
    buggy="for batch in batches:\n    self.losses(batch)['loss'].backward()  # a sum of means",
    corrected="for batch, share in zip(batches, self.sample_shares(batches)):\n    (share * "
    "self.losses(batch)['loss']).backward()",
    check=check,
)
