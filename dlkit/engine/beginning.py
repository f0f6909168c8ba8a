"""The first event of an attempt: that a run starts, goes on, or begins with the state of another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from dlkit.data.randomness import derive, seed_all
from dlkit.engine.build import Job
from dlkit.engine.progress import Progress
from dlkit.engine.resuming import Resuming
from dlkit.events import Forked, Resumed, Started
from dlkit.json_types import Json
from dlkit.runs.folder import RunFolder


def beginning(
    job: Job, run: RunFolder, resuming: Resuming | None, progress: Progress, next_seq: int
) -> Started | Resumed:
    """What is recorded, the state being put back; ``next_seq`` is the number that it gets."""
    total, first = job.course.total, job.course.ends[0]
    if resuming is None:
        return Started(run=run.id, total_steps=total, epoch_steps=first, summary=job.summary)
    if resuming.branches and next_seq <= 0:  # killed after this, and before a checkpoint of its own, it is resumed
        return _forked(job, run, resuming, progress)
    return Resumed(
        run=run.id,
        from_step=progress.step,
        total_steps=total,
        epoch_steps=first,
        # From the start nothing holds: what was measured before the first step is measured again.
        from_seq=resuming.checkpoint.manifest.seq if resuming.checkpoint is not None else 0,
        exact=not resuming.differences,
        differences=resuming.differences,
    )


def seed(job: Job) -> None:
    """Begin the random streams of a run that has no state to put back."""
    # What a model draws itself (dropout) is another draw on every rank.
    ranks = [job.world.rank] if job.world.rank else []
    seed_all(derive(job.resolved.engine.seed, "train", *ranks), job.placement.device)


def _forked(job: Job, run: RunFolder, resuming: Resuming, progress: Progress) -> Forked:
    assert resuming.checkpoint is not None
    said = run.read().get("forked_from", {})
    return Forked(
        run=run.id,
        total_steps=job.course.total,
        epoch_steps=job.course.ends[0],
        summary=job.summary,
        parent=said.get("id", ""),
        from_step=progress.step,
        sha256=resuming.checkpoint.sha256,
        changes=cast("Mapping[str, Json]", said.get("changes", {})),
        exact=not resuming.differences,
        differences=resuming.differences,
    )
