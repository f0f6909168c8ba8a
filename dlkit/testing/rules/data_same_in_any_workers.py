"""Who makes a sample changes nothing in it."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.destination import HOST
from dlkit.data.randomness import forked
from dlkit.data.splits import Batch, Split, TensorSplit
from dlkit.engine.build import Job, build_data
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.offline import offline_data
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import listed, unlike


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    made = [name for name, split in job.data.splits.items() if not isinstance(split, TensorSplit)]
    if not made:
        raise Skipped("its samples lie in memory: no loader process makes any")
    with offline_data(subject.catalog, subject.scratch) as context:  # whoever has workers is nobody else's split
        data = build_data(subject.catalog, job.resolved, job.task, context)[0]
    for name in made:
        alone = _batches(data.splits[name], job, 0)
        for workers in (1,) if subject.quick else (1, 2):
            if found := unlike(alone, _batches(data.splits[name], job, workers)):
                seen = f"with engine.workers = {workers} batches differ from those with 0: {listed(found)}"
                yield Finding(seen, "the same batches", f"split {name!r}")
                break


def _batches(split: Split, job: Job, workers: int) -> list[Batch]:
    engine = job.resolved.engine
    plan = split.planner.plan(len(split), engine.seed, 1, engine.batch_size).first(3)
    loaded = split.to(HOST, workers)
    try:
        with forked(workers, "beside the workers"):
            return [*loaded.batches(plan, seed=engine.seed, epoch=1), *loaded.batches(plan, seed=0, epoch=None)]
    finally:
        loaded.close()
        split.to(HOST, 0)


RULE = Rule(
    name="data-same-in-any-workers",
    tier="silver",
    kinds=("dataset",),
    title="Batches are the same in any number of loader processes",
    why="Another machine has other cores: a run that depends on engine.workers cannot be repeated, nor resumed there.",
    mend="Draw in MapSplit.sample from the rng that it is given, f(seed, epoch, index), never from a generator of the "
    "split, of NumPy or of Python: each process has its own, and asks for other samples.",
    buggy="def sample(self, index, rng):\n    return {'x': self.x[index] + self.noise.normal()}",
    corrected="def sample(self, index, rng):\n    return {'x': self.x[index] + (rng.normal() if rng else 0)}",
    check=check,
)
