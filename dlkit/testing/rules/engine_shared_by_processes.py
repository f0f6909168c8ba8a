"""Two processes make the step that one makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from dlkit.data.splits import Batch
from dlkit.engine.build import Job
from dlkit.engine.distributed import World
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.seats import seated
from dlkit.testing.subject import Sections, Subject
from dlkit.testing.trying import again, draws, gradients, part, rows, share_apart, still, trains

FIRST, COUNT = 3, 8
ALLOWED = 1e-2


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    trains(job)
    if "ddp" not in job.trainer.supports:
        raise Skipped(f"trainer {job.resolved.specs['trainer'].name!r} does not support several processes")
    batch = rows(job.data.train, COUNT)
    # Clipped before they are exchanged here, and after it in a run: DistributedDataParallel does so while it goes back.
    plain: Sections = {"engine": {"clip": 0.0}}
    trial = again(subject, plain)
    with still(trial):
        if draws(trial, [batch]):
            raise Skipped("its steps draw at random: each process draws what the others do not")
    alone, ranks = again(subject, plain), [again(subject, plain), again(subject, plain)]
    with still(alone):
        right = gradients(alone, [batch])
    with still(ranks[0]), still(ranks[1]):
        found = seated(2, lambda world: _step(ranks[world.rank], world, batch))
    for rank, own in enumerate(found):
        far = share_apart(right, own)
        if not far <= ALLOWED:
            seen = (
                f"of {FIRST} and {COUNT - FIRST} samples, the gradients of process {rank} are {far:.3g} of the largest"
            )
            yield Finding(f"{seen} off those of one process", f"the same, within {ALLOWED:g}", f"process {rank}")
            return


def _step(job: Job, world: World, batch: Batch) -> list[Tensor]:
    """One process's part of a step; gradients become the mean of both where DistributedDataParallel makes them so."""
    trainer = type(job.trainer)(replace(job.trainer.setup, world=world))
    own = part(batch, *((0, FIRST) if world.rank == 0 else (FIRST, COUNT)))
    trainer.shares = [len(next(iter(own.values()))) * world.size / COUNT]
    for optimizer in trainer.optimizers_made:
        optimizer.register_step_pre_hook(
            lambda rule, *_: world.average(
                [p.grad for group in rule.param_groups for p in group["params"] if p.grad is not None]
            )
        )
    return gradients(replace(job, trainer=trainer), [own])


RULE = Rule(
    name="engine-shared-by-processes",
    tier="silver",
    kinds=("model", "loss", "trainer"),
    title="Two processes, each with a part of the batch, make the step of one with the whole",
    why="engine settings say what is computed, nproc only where: a run on four GPUs is to be that on one.",
    mend="Let losses be means over samples, or say in counts() over what; in a step of your own use "
    "Trainer.shares, and world.average for gradients that no wrapped model exchanges.",
    buggy="loss = errors.sum() / 64  # the batch size of one process",
    corrected="loss = errors.mean()",
    check=check,
)
