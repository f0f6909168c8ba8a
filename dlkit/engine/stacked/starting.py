"""Starting and resuming stacks: every run built and tried first, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from dlkit.catalog import Catalog
from dlkit.config import Resolved
from dlkit.data.context import Context
from dlkit.engine.build import Job
from dlkit.engine.stacked.differing import why_apart, why_not
from dlkit.engine.stacked.members import row_of
from dlkit.engine.stacked.room import check_stack
from dlkit.engine.stacked.sharing import SharedData
from dlkit.engine.stacked.stack import Stack
from dlkit.engine.stacked.structure import take_as_tried, why_not_stacked
from dlkit.engine.stacked.training import StackedTraining, Started
from dlkit.engine.start import begin, in_new_folder, new_job, resume
from dlkit.engine.threads import AskCores, all_cores
from dlkit.errors import UsageError
from dlkit.runs.folder import RunFolder
from dlkit.runs.naming import checked_name
from dlkit.runs.stored import readable


def start_stack(
    catalog: Catalog,
    configurations: Sequence[Resolved],
    workspace: Path,
    context: Context,
    *,
    names: Sequence[str] = (),
    cores: AskCores = all_cores,
) -> StackedTraining:
    """Build new runs that are to be trained as one, then make their folders: where one cannot be, none is there.

    ``names``: what people call each. UsageError says what keeps them from being one.
    """
    refuse_options(configurations)
    given = [checked_name(name) for name in names or [""] * len(configurations)]
    data = SharedData()
    built = [new_job(catalog, resolved, workspace, context, cores, data) for resolved in configurations]
    refuse([job for job, _ in built])
    attempts = [
        in_new_folder(catalog, resolved, workspace, job, weights, name=name)
        for resolved, (job, weights), name in zip(configurations, built, given, strict=True)
    ]
    return StackedTraining([Started(attempt) for attempt in attempts], cores)


def resume_stack(catalog: Catalog, runs: Sequence[RunFolder], context: Context) -> StackedTraining:
    """Go on with runs, as one: each from its last checkpoint, or from its beginning. Errors as of ``start.resume``."""
    data, attempts = SharedData(), []
    for run in runs:
        if "fingerprint" in readable(run):
            attempts.append(resume(catalog, run, context, data=data))
        else:
            attempts.append(begin(catalog, run, context, data=data))
    refuse_options([attempt.job.resolved for attempt in attempts])
    refuse([attempt.job for attempt in attempts])
    return StackedTraining([Started(attempt) for attempt in attempts])


def refuse_options(configurations: Sequence[Resolved]) -> None:
    """UsageError says which options keep runs from being trained as one."""
    if not configurations:
        raise UsageError("a stack needs at least one run")
    for resolved in configurations:
        if why := why_not(resolved) or why_apart(configurations[0], resolved):
            raise UsageError(f"these runs cannot be trained as one: {why}")


def refuse(jobs: Sequence[Job]) -> None:
    """UsageError says what of the built runs keeps them from being trained as one, their memory too."""
    if why := why_not_stacked(jobs):
        raise UsageError(f"these runs cannot be trained as one: {why}")
    check_stack(jobs)
    # Of a few rows: what is tried is the same for all of them.
    some = jobs[:2]
    for job in some:
        job.trainer.model.train()
    take_as_tried(Stack([row_of(job, torch.Generator()) for job in some]), jobs[0])
