"""A data set is a function of its options."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.config import Resolved
from dlkit.data.plans import Plan
from dlkit.data.randomness import forked
from dlkit.data.splits import Batch, Data
from dlkit.engine.build import Job, build_data
from dlkit.testing.finding import Finding
from dlkit.testing.offline import offline_data
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Sections, Subject
from dlkit.testing.trying import listed, rows, unlike

MOST = 256


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    with forked(1, "another stream"):
        other = _built(subject, job, job.resolved)
    for name, split in job.data.splits.items():
        if name not in other.splits or len(other.splits[name]) != len(split):
            there = {key: len(value) for key, value in other.splits.items()}
            yield Finding(f"built again, the splits have {there} samples", f"{len(split)} samples", f"split {name!r}")
            continue
        count = min(MOST, len(split))
        if found := unlike(rows(split, count), rows(other.splits[name], count)):
            yield Finding(f"built again, {listed(found)}", "the same samples in the same order", f"split {name!r}")
        if split.fingerprint() != other.splits[name].fingerprint():
            yield Finding(
                "built again, it has another fingerprint", "one fingerprint for one content", f"split {name!r}"
            )
    for epoch in (0, 1):
        if found := unlike(_first_batches(job.data, job, epoch), _first_batches(other, job, epoch)):
            yield Finding(f"two loaders of one seed differ: {listed(found)}", "the same batches", f"epoch {epoch}")


def _built(subject: Subject, job: Job, resolved: Resolved, settings: Sections | None = None) -> Data:
    with offline_data(subject.catalog, subject.scratch) as context:
        return build_data(subject.catalog, resolved, job.task, context)[0]


def _first_batches(data: Data, job: Job, epoch: int) -> list[Batch]:
    """The first two training batches of an epoch, as the loader asks for them."""
    engine, split = job.resolved.engine, data.train
    plan: Plan = split.planner.plan(len(split), engine.seed, epoch, engine.batch_size)
    with forked(epoch + 2, "whoever draws beside them"):
        return list(split.batches(plan.first(2), seed=engine.seed, epoch=epoch))


RULE = Rule(
    name="data-same-for-a-seed",
    tier="silver",
    kinds=("dataset",),
    title="Built again, a data set has the same samples, in the same order, and the same batches for a seed",
    why="A resume builds the data set again: with other samples, or the same ones elsewhere, it goes on with another "
    "run, and what was validation may have become training.",
    mend="Draw from dlkit.data.rng(seed, 'what for'), seed being an option of the data set; sort what a folder lists; "
    "in MapSplit.sample draw from the rng that it is given.",
    buggy="order = np.random.permutation(len(files))",
    corrected='order = rng(config.seed, "division").permutation(len(files))',
    check=check,
)
