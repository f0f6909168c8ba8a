"""Starting and resuming runs: from a configuration to a folder and its stream of events."""

from __future__ import annotations

import platform
import time
from collections.abc import Generator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved
from dlkit.config_file import to_toml
from dlkit.data.context import Context
from dlkit.data.weights import restoring
from dlkit.engine.build import Job, build_task, prepare
from dlkit.engine.checkpoint import check, evaluated_weights, load_info, read_tensors
from dlkit.engine.checkpoint_writer import write_tensors
from dlkit.engine.device import same_again
from dlkit.engine.loop import Loop, Resuming
from dlkit.engine.orders import Inbox
from dlkit.engine.signals import StopSignals
from dlkit.errors import RunError, UsageError
from dlkit.events import Event
from dlkit.runs import index
from dlkit.runs.checkpoints import Checkpoint, complete
from dlkit.runs.files import write_text
from dlkit.runs.folder import RunFolder, create
from dlkit.runs.init_from import initial_weights, pinned
from dlkit.runs.lock import BOTH, Part, RunLock, holder
from dlkit.runs.origin import origin
from dlkit.runs.stored import readable, stored_config
from dlkit.task import Info


@dataclass(frozen=True)
class Attempt:
    """A run about to go: iterate ``events`` to make it happen.

    ``config`` is its new config.toml and ``record`` are new fields of run.json, if there are any; ``weights`` are what
    a submitted run starts from, to be copied into its folder.
    """

    run: RunFolder
    job: Job
    resume: Checkpoint | None = None
    resumed: bool = False
    differences: tuple[str, ...] = ()
    config: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Tensor] | None = None

    def events(
        self,
        signals: StopSignals | None = None,
        *,
        part: Part = BOTH,
        report: Path | None = None,
        commands_from: int | None = None,
    ) -> Generator[Event, None, None]:
        """Run it, holding run.lock; RunError if somebody else does, or if its folder cannot be written.

        Under a supervisor ``part`` is the writer's, ``report`` where a failure is left for it, and ``commands_from``
        the offset of the first command that is for this attempt.
        """
        try:
            with RunLock(self.run.lock, part) if self.job.world.rank_zero else nullcontext():
                if commands_from is None and not self.resumed:
                    commands_from = 0
                inbox = Inbox(self.run.commands, commands_from)  # from when it may be seen that the run goes
                self._write_down()
                yield from Loop(
                    self.job,
                    self.run,
                    resuming=Resuming(self.resume, self.differences) if self.resumed else None,
                    signals=signals,
                    inbox=inbox,
                    report=report,
                )
        except BlockingIOError as error:
            raise RunError(f"{self.run.id} is already running (process {holder(self.run.lock)})") from error
        except OSError as error:  # before the first event, or after the last: between them it ends the run as failed
            raise RunError(f"{self.run.id} cannot be written: {error.strerror or error}") from error
        finally:
            # Else it is a copy outside any workspace, or its supervisor's to do: on a full disk that has the last word.
            if part == BOTH and self.run.path.parent.name == "runs":
                index.note(self.run.path.parent.parent, self.run)

    def _write_down(self) -> None:
        if not self.job.world.rank_zero:
            return
        if self.weights is not None:
            write_tensors(self.weights, self.run.init)
        if self.config:
            write_text(self.run.config, self.config)
        if self.record:
            self.run.update(**self.record)


def start(catalog: Catalog, resolved: Resolved, workspace: Path, context: Context, *, name: str = "") -> Attempt:
    """Build a new run's components, then make its folder: what cannot be built leaves nothing behind."""
    job, weights = _new_job(catalog, resolved, workspace, context)
    model = resolved.specs["model"].name
    created = {"name": name, "state": "running", "created": round(time.time(), 3)}
    record = {**created, **origin(catalog, resolved), **_built(job)}
    try:
        run = create(workspace / "runs", resolved.task.name, model, record, to_toml(job.resolved))
        if weights is not None:
            write_tensors(weights, run.init)
    except OSError as error:
        raise RunError(f"cannot make a run in {workspace}: {error.strerror or error}") from error
    return Attempt(run, job)


def begin(catalog: Catalog, run: RunFolder, context: Context, *, overrides: Layer | None = None) -> Attempt:
    """Build the components of a run that was submitted and has never been started."""
    resolved = stored_config(catalog, run, readable(run), overrides)
    job, weights = _new_job(catalog, resolved, run.path.parent.parent, context)
    return Attempt(run, job, config=to_toml(job.resolved), record=_built(job), weights=weights)


def _new_job(
    catalog: Catalog, resolved: Resolved, workspace: Path, context: Context
) -> tuple[Job, dict[str, Tensor] | None]:
    """A job at its first step, and the weights that it starts from; its configuration names which they are."""
    init = initial_weights(resolved, workspace)
    weights = evaluated_weights(init) if init is not None else None
    return prepare(catalog, pinned(resolved, init) if init is not None else resolved, context, init=weights), weights


def _built(job: Job) -> dict[str, Any]:
    """What run.json says once the components are built."""
    return {"total_steps": job.course.total, "fingerprint": job.data.fingerprint(), **_surroundings(job)}


def _surroundings(job: Job) -> dict[str, Any]:
    """What must be the same for a resume to be exact."""
    versions = {"dlkit": version("dlkit"), "python": platform.python_version(), "torch": torch.__version__}
    place = job.placement
    return {
        "versions": versions,
        "device": str(place.device),
        "precision": place.precision,
        "threads": place.threads,
        "processes": job.world.size,
    }


def resume(
    catalog: Catalog,
    run: RunFolder,
    context: Context,
    *,
    overrides: Layer | None = None,
    allow_inexact: bool = False,
    inexact: tuple[str, ...] = (),
    supervised: bool = False,
) -> Attempt:
    """Go on with a run from its last good checkpoint (step 0, if there is none).

    ``overrides`` are engine settings such as more epochs; ``inexact`` says what they change in the result. UsageError:
    nothing left to do, or it would not be exact and ``allow_inexact`` is not given; RunError: alive (but for this
    process's own supervisor, if it is ``supervised``), of a newer format, or no checkpoint can be read.
    """
    record = readable(run)
    if not supervised and (process := holder(run.lock)) is not None:
        raise RunError(f"{run.id} is running (process {process})")
    resolved = stored_config(catalog, run, record, overrides)
    config = to_toml(resolved) if overrides else ""
    resolved = resolved.with_engine(threads=record.get("threads", 0))
    init = run.init if run.init.exists() else None
    chosen = last_good(run, context)
    if chosen is None and init is None and resolved.engine.init_from:
        raise RunError(f"{run.id}: {run.init.name}, the weights that it starts from, is missing")
    weights = read_tensors(init) if init is not None else None
    if chosen is not None:
        context = replace(context, earlier=partial(_info_of, chosen, catalog, resolved))
    with restoring() if chosen is not None else nullcontext():
        device = same_again(str(record.get("device", "cpu")), resolved.job.nproc)
        job = prepare(catalog, resolved, context, init=weights, device=device)
    if chosen is not None:
        check(chosen, resolved.task.name, resolved.specs["model"].name)
        if chosen.step >= job.course.total and _was_completed(record, supervised):
            raise UsageError(
                f"{run.id} is complete at step {chosen.step} of {job.course.total}: give --epochs or --steps to go on"
            )
    differences = (*_differences(job, record), *inexact)
    if len(differences) > len(inexact) and not allow_inexact:
        raise UsageError(
            f"{run.id} cannot be resumed exactly: {'; '.join(differences)}. Give --allow-inexact to go on all the same"
        )
    if inexact_kernels := job.placement.device.inexactness(resolved.engine.deterministic):
        differences = (*differences, inexact_kernels)
    return Attempt(run, job, chosen, True, differences, config)


def _info_of(checkpoint: Checkpoint, catalog: Catalog, resolved: Resolved) -> Info:
    return load_info(checkpoint, build_task(catalog, resolved.task).Info)


def _was_completed(record: Mapping[str, Any], supervised: bool) -> bool:
    """Whether the run said so; one that was killed between its last checkpoint and its last word did not."""
    said = record.get("job", {}).get("before", {}) if supervised else record
    return bool(said.get("state") == "completed")


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


def _differences(job: Job, record: Mapping[str, Any]) -> tuple[str, ...]:
    """Where this attempt's surroundings are not those the run was started in."""
    now, found = _surroundings(job), []
    before = {"processes": 1, **record}
    for key in ("device", "precision", "threads", "processes"):
        same = str(now[key]).partition(":")[0] == str(before.get(key)).partition(":")[0]
        if not same:
            found.append(f"{key} was {before.get(key)}, is {now[key]}")
    torch_before = record.get("versions", {}).get("torch")
    if torch_before != now["versions"]["torch"]:
        found.append(f"torch was {torch_before}, is {now['versions']['torch']}")
    if job.data.fingerprint() != record.get("fingerprint"):
        found.append("the data differs: its fingerprint is not the one the run was started with")
    return tuple(found)
