"""In evaluation, a sample's outputs are its own."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import ROUNDING, cut, listed, outputs_of, part, rows, unlike

COUNT = 5


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    batch = rows(job.data.val, COUNT)
    whole = outputs_of(job, batch)
    for item in range(COUNT):
        alone = outputs_of(job, part(batch, item, item + 1))
        if found := unlike(cut(whole, item, item + 1, COUNT), alone, ROUNDING):
            seen = f"sample {item} of {COUNT} has other outputs in the batch than alone: {listed(found)}"
            yield Finding(seen, f"the same within rounding ({ROUNDING:g} of the largest)", f"sample {item}")
            return


RULE = Rule(
    name="model-each-alone",
    tier="silver",
    kinds=("model",),
    title="In evaluation a sample's outputs do not depend on who is in its batch",
    why="Metrics would depend on how a split is cut into batches, and an answer on who else is asking.",
    mend="Normalise over a sample's own axes (LayerNorm, GroupNorm) or, in evaluation, with kept statistics (BatchNorm "
    "does, unless track_running_stats=False); reduce over axis 0 in training at most.",
    buggy="x = x - x.mean(0)",
    corrected="self.norm = nn.BatchNorm1d(features, affine=False)  # its running mean in evaluation",
    check=check,
)
