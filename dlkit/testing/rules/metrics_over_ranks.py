"""Several processes' metrics are those of one."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.randomness import forked
from dlkit.data.splits import Batch
from dlkit.engine.build import Job
from dlkit.engine.distributed import World
from dlkit.engine.evaluation import Meter
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.measuring import ALLOWED, in_parts, measured, metrics_apart, validation
from dlkit.testing.rule import Rule
from dlkit.testing.seats import seated
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED

RANKS = 3


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    if not hasattr(job.task.metrics(job.info), "reduce"):
        raise Skipped("its metrics have no reduce: a run of several processes is refused")
    batch = validation(job)
    whole = measured(job, [batch])
    count = len(next(iter(batch.values())))
    parts = in_parts(batch, max(1, count // 4))
    ways = (("all have some", [parts[:1], parts[1:2], parts[2:]]), ("rank 0 has none", [[], parts[:1], parts[1:]]))
    # Of two samples and three processes, rank 0 has none; and what rank 0 says is what is recorded.
    for how, shares in ways:
        found = _over_ranks(job, shares)[0]
        if told := metrics_apart(whole, found):
            yield Finding(f"of {RANKS} processes, {how}, beside one: {told}", f"the same, within {ALLOWED:g}", "reduce")
            return


def _over_ranks(job: Job, shares: list[list[Batch]]) -> list[dict[str, float]]:
    meters: dict[int, Meter] = {}

    def compute(world: World) -> dict[str, float]:
        meters[world.rank]._world = world
        return {name.partition("/")[2]: value for name, value in meters[world.rank].compute("val").items()}

    for rank, share in enumerate(shares):
        meters[rank] = Meter(job.trainer, job.task, job.info)
        with forked(SEED, "measure"), job.trainer.evaluating():
            for batch in share:
                meters[rank].update(batch)
    return seated(len(shares), compute)


RULE = Rule(
    name="metrics-over-ranks",
    tier="silver",
    kinds=("task",),
    title="Reduced over processes, metrics are those of one process that saw everything",
    why="Of several GPUs each measures a part of the split; a process may have no batch at all.",
    mend="In reduce replace every sum and every count by over_ranks of it (None where nothing has been seen); "
    "what is no sum, a ranking say, goes through dlkit.task.together.",
    buggy="def reduce(self, over_ranks):\n    self.total = over_ranks(self.total)  # the count stays this process's "
    "own",
    corrected="def reduce(self, over_ranks):\n    self.total, self.count = over_ranks(self.total), "
    "over_ranks(self.count)",
    check=check,
)
