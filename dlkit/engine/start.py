"""Starting and resuming runs: from a configuration to a folder and its stream of events."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from torch import Tensor

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved
from dlkit.config_file import to_toml
from dlkit.data.context import Context
from dlkit.data.weights import restoring
from dlkit.engine.attempt import Attempt
from dlkit.engine.build import BuildData, Job, build_data, build_task, prepare
from dlkit.engine.checkpoint import check, evaluated_weights, load_info, load_model
from dlkit.engine.device import same_again
from dlkit.engine.exactness import differences, surroundings
from dlkit.engine.tensor_files import read_tensors, write_tensors
from dlkit.engine.threads import AskCores, Threads, all_cores
from dlkit.errors import RunError, UsageError
from dlkit.runs import opening
from dlkit.runs.checkpoints import Checkpoint, complete
from dlkit.runs.folder import RunFolder, create
from dlkit.runs.init_from import initial_weights, pinned
from dlkit.runs.lock import holder
from dlkit.runs.naming import checked_name
from dlkit.runs.origin import keep_environment, origin
from dlkit.runs.run_record import RunRecord
from dlkit.runs.stored import readable, stored_config
from dlkit.task import Info


class Plan(Protocol):
    """A fork as it is to be (``jobs.forking``): from which checkpoint, with which configuration.

    ``record`` says where the state was computed, ``inexact`` what of it the changes leave no use for; ``make`` makes
    the folder.
    """

    @property
    def parent(self) -> RunFolder: ...
    @property
    def chosen(self) -> Checkpoint: ...
    @property
    def resolved(self) -> Resolved: ...
    @property
    def record(self) -> RunRecord: ...
    @property
    def allow_inexact(self) -> bool: ...
    @property
    def inexact(self) -> tuple[str, ...]: ...

    def make(self, catalog: Catalog, workspace: Path, record: RunRecord, config: str) -> RunFolder: ...


def start(
    catalog: Catalog,
    resolved: Resolved,
    workspace: Path,
    context: Context,
    *,
    name: str = "",
    cores: AskCores = all_cores,
) -> Attempt:
    """Build a new run's components, then make its folder: what cannot be built leaves nothing behind.

    ``cores``: who tells how many are free.
    """
    name = checked_name(name)
    job, weights = new_job(catalog, resolved, workspace, context, cores)
    return in_new_folder(catalog, resolved, workspace, job, weights, name=name)


def in_new_folder(
    catalog: Catalog,
    resolved: Resolved,
    workspace: Path,
    job: Job,
    weights: Mapping[str, Tensor] | None,
    *,
    name: str = "",
) -> Attempt:
    """A job that has been built, in a folder of its own; ``weights`` are those that it starts from."""
    model = resolved.specs["model"].name
    record: RunRecord = {
        "name": name,
        "state": "running",
        "created": round(time.time(), 3),
        **origin(catalog, resolved),
        **_built(job),
    }
    try:
        run = create(
            workspace / "runs",
            resolved.task.name,
            model,
            record,
            to_toml(job.resolved),
            fill=partial(keep_environment, resolved),
        )
        if weights is not None:
            write_tensors(weights, run.path, run.init.name)
    except OSError as error:
        raise RunError(f"cannot make a run in {workspace}: {error.strerror or error}") from error
    return Attempt(run, job)


def begin(
    catalog: Catalog,
    run: RunFolder,
    context: Context,
    *,
    overrides: Layer | None = None,
    orders: Sequence[Layer] = (),
    cores: AskCores = all_cores,
    data: BuildData = build_data,
) -> Attempt:
    """Build the components of a run that was submitted and has never been started."""
    resolved = stored_config(catalog, run, readable(run), overrides, orders)
    job, weights = new_job(catalog, resolved, run.path.parent.parent, context, cores, data)
    return Attempt(run, job, config=to_toml(job.resolved), record=_built(job), weights=weights)


def new_job(
    catalog: Catalog,
    resolved: Resolved,
    workspace: Path,
    context: Context,
    cores: AskCores,
    data: BuildData = build_data,
) -> tuple[Job, dict[str, Tensor] | None]:
    """A job at its first step, and the weights that it starts from; its configuration names which they are."""
    init = initial_weights(resolved, workspace)
    # What that run's evaluation saw (its moving average, where it kept one): its figures are why it was chosen.
    weights = evaluated_weights(init) if init is not None else None
    resolved = pinned(resolved, init) if init is not None else resolved
    return prepare(catalog, resolved, context, init=weights, cores=cores, data=data), weights


def _built(job: Job) -> RunRecord:
    """What run.json says once the components are built."""
    found: RunRecord = {"total_steps": job.course.total, "fingerprint": job.data.fingerprint()}
    return {**found, **surroundings(job), **job.threads.record}


def resume(
    catalog: Catalog,
    run: RunFolder,
    context: Context,
    *,
    overrides: Layer | None = None,
    orders: Sequence[Layer] = (),
    allow_inexact: bool = False,
    inexact: tuple[str, ...] = (),
    supervised: bool = False,
    data: BuildData = build_data,
) -> Attempt:
    """Go on with a run from its last good checkpoint (step 0, if there is none).

    ``overrides`` are engine settings such as more epochs, ``orders`` what holds of those it was stored with
    (``runs.orders``); ``inexact`` says what overrides change in the result. UsageError:
    nothing left to do, or it would not be exact and ``allow_inexact`` is not given; RunError: alive (but for this
    process's own supervisor, if it is ``supervised``), of a newer format, or no checkpoint can be read.
    """
    record = readable(run)
    if not supervised and (process := holder(run.lock)) is not None:
        raise RunError(f"{run.id} is running (process {process})")
    resolved = stored_config(catalog, run, record, overrides, orders)
    config = to_toml(resolved) if overrides or orders else ""  # written down, so that the next resume goes on with them
    chosen = last_good(run, context)
    job = _job_again(catalog, run, resolved, record, chosen, context, data)
    if chosen is not None:
        check(chosen, resolved.task.name, resolved.specs["model"].name)
        if chosen.step >= job.course.total and _was_completed(record, supervised):
            hint = "give --epochs or --steps to go on"
            raise UsageError(f"{run.id} is complete at step {chosen.step} of {job.course.total}: {hint}").hinting(hint)
    found = differences(job, record)
    if found and not allow_inexact:
        raise UsageError(
            f"{run.id} cannot be resumed exactly: {'; '.join((*found, *inexact))}. "
            "Give --allow-inexact to go on all the same"
        )
    kernels = job.placement.device.inexactness(resolved.engine.deterministic)
    # A fork that begins is computed here, whatever its parent was: the next resume goes by that.
    new = _built(job) if chosen is not None and chosen.manifest.taken_with is not None else RunRecord()
    return Attempt(run, job, chosen, True, (*found, *inexact, *([kernels] if kernels else [])), config, new)


def again(
    catalog: Catalog,
    run: RunFolder,
    resolved: Resolved,
    told: RunRecord,
    record: RunRecord,
    workspace: Path,
    context: Context,
    *,
    name: str = "",
) -> tuple[Attempt, tuple[str, ...]]:
    """A run once more, from its beginning, in a folder of its own; and what is otherwise than ``record`` says.

    ``told``: the part of it that says with how many threads, on which device.
    """
    job = _job_again(catalog, run, resolved, told, None, context, build_data)
    kept = opening.status(run.path, run.init.name) is not None
    weights = read_tensors(run.path, run.init.name) if kept else None
    return in_new_folder(catalog, resolved, workspace, job, weights, name=checked_name(name)), differences(job, record)


def fork(catalog: Catalog, planned: Plan, workspace: Path, context: Context, *, name: str = "") -> Attempt:
    """Build what a fork goes on with, and put the state into it once, then make its folder: what cannot be built, or
    does not fit, leaves nothing behind. Errors as of ``resume``.
    """
    name = checked_name(name)
    parent, chosen, resolved = planned.parent, planned.chosen, planned.resolved
    check(chosen, resolved.task.name, resolved.specs["model"].name)
    job = _job_again(catalog, parent, resolved, planned.record, chosen, context, build_data)
    if chosen.step >= job.course.total:
        hint = "give --epochs or --steps, or an earlier checkpoint: RUN@STEP"
        raise UsageError(f"{parent.id} is at its end at step {chosen.step} of {job.course.total}: {hint}").hinting(hint)
    load_model(chosen, job.trainer.model, averaged=False)  # else the run would be there when this fails
    # What was to change has been looked at already.
    found = () if planned.inexact else differences(job, planned.record)
    if found and not planned.allow_inexact:
        raise UsageError(
            f"{parent.id} cannot be forked exactly: {'; '.join(found)}. Give --allow-inexact to go on all the same"
        )
    record: RunRecord = {"name": name, "state": "running", **_built(job)}
    run = planned.make(catalog, workspace, record, to_toml(job.resolved))
    kernels = job.placement.device.inexactness(resolved.engine.deterministic)
    said = (*found, *planned.inexact, *([kernels] if kernels else []))
    return Attempt(run, job, last_good(run, context), True, said)


def _job_again(
    catalog: Catalog,
    run: RunFolder,
    resolved: Resolved,
    record: RunRecord,
    chosen: Checkpoint | None,
    context: Context,
    data: BuildData,
) -> Job:
    """The components, built as they were for the checkpoint that fills them, or for the first step without one."""
    kept = opening.status(run.path, run.init.name) is not None
    init = read_tensors(run.path, run.init.name) if kept else None
    if chosen is None and init is None and resolved.engine.init_from:
        raise RunError(f"{run.id}: {run.init.name}, the weights that it starts from, is missing")
    device = same_again(str(record.get("device", "cpu")), resolved.job.nproc)
    built = partial(
        prepare, catalog, resolved, init=init, device=device, threads=Threads.recorded(run, record), data=data
    )
    if chosen is None:
        return built(context)
    with restoring():  # a file of weights that the model began from may be gone, and is not needed
        return built(replace(context, earlier=partial(_info_of, chosen, catalog, resolved)))


def _info_of(checkpoint: Checkpoint, catalog: Catalog, resolved: Resolved) -> Info:
    return load_info(checkpoint, build_task(catalog, resolved.task).Info)


def _was_completed(record: RunRecord, supervised: bool) -> bool:
    """Whether the run said so; one that was killed between its last checkpoint and its last word did not."""
    said = record.get("job", {}).get("before") if supervised else record
    return isinstance(said, dict) and said.get("state") == "completed"


def last_good(run: RunFolder, context: Context) -> Checkpoint | None:
    """The newest checkpoint whose files are whole; says which ones are not. RunError if none of several is."""
    found = complete(run.path)
    for checkpoint in reversed(found):
        problems = checkpoint.problems()
        if not problems:
            return checkpoint
        context.say(f"checkpoint {checkpoint.folder.name} cannot be used: {'; '.join(problems)}")
    if found:
        raise RunError(f"{run.id}: no checkpoint can be used")
    return None
