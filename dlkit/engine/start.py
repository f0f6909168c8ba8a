"""Starting and resuming runs: from a configuration to a folder and its stream of events."""

from __future__ import annotations

import platform
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from dlkit.catalog import Catalog
from dlkit.components import PARTS, load_object
from dlkit.config import Layer, Resolved, resolve
from dlkit.config_file import read_toml, to_toml
from dlkit.data.context import Context
from dlkit.engine.build import Job, prepare
from dlkit.engine.checkpoint import check, judged_weights, read_tensors, write_tensors
from dlkit.engine.loop import Loop
from dlkit.engine.signals import StopSignals
from dlkit.errors import PluginError, RunError, UsageError
from dlkit.events import Event
from dlkit.runs import index
from dlkit.runs.checkpoints import Checkpoint, choose, complete
from dlkit.runs.files import write_text
from dlkit.runs.folder import FORMAT, RunFolder, create
from dlkit.runs.lock import RunLock, holder

PINNED = 16
"""Digits of a SHA-256 that name weights."""


@dataclass(frozen=True)
class Attempt:
    """A run about to go: iterate ``events`` to make it happen.

    ``config`` is its new config.toml, if settings were changed for this attempt and those after it.
    """

    run: RunFolder
    job: Job
    resume: Checkpoint | None = None
    resumed: bool = False
    differences: tuple[str, ...] = ()
    config: str = ""

    def events(self, signals: StopSignals | None = None) -> Generator[Event, None, None]:
        """Run it, holding run.lock; RunError if somebody else does, or if its folder cannot be written."""
        try:
            with RunLock(self.run.lock):
                if self.config:
                    write_text(self.run.config, self.config)
                yield from Loop(
                    self.job,
                    self.run,
                    resume=self.resume,
                    resumed=self.resumed,
                    differences=self.differences,
                    signals=signals,
                )
        except BlockingIOError as error:
            raise RunError(f"{self.run.id} is already running (process {holder(self.run.lock)})") from error
        except OSError as error:  # before the first event, or after the last: between them it ends the run as failed
            raise RunError(f"{self.run.id} cannot be written: {error.strerror or error}") from error
        finally:
            if self.run.path.parent.name == "runs":  # else it is a copy somewhere, outside any workspace
                index.note(self.run.path.parent.parent, self.run)


def start(catalog: Catalog, resolved: Resolved, workspace: Path, context: Context, *, name: str = "") -> Attempt:
    """Build a new run's components, then make its folder: what cannot be built leaves nothing behind."""
    init = _initial_weights(resolved, workspace)
    if init is not None:  # stored as what it is: that run's id and the weights' hash
        pinned = resolved.engine.model_copy(
            update={"init_from": f"{init.folder.parent.parent.name}@{init.sha256[:PINNED]}"}
        )
        resolved = replace(resolved, sections={**resolved.sections, "engine": pinned})
    weights = judged_weights(init) if init is not None else None
    job = prepare(catalog, resolved, context, init=weights)
    model = resolved.specs["model"].name
    record = {"name": name, "state": "running", "created": round(time.time(), 3), **_record(job)}
    try:
        run = create(workspace / "runs", resolved.task.name, model, record, to_toml(resolved))
        if weights is not None:
            write_tensors(weights, run.init)
    except OSError as error:
        raise RunError(f"cannot make a run in {workspace}: {error.strerror or error}") from error
    return Attempt(run, job)


def _initial_weights(resolved: Resolved, workspace: Path) -> Checkpoint | None:
    """The checkpoint that ``RUN``, ``RUN@best``, ``RUN@last``, ``RUN@STEP`` or ``RUN@SHA256`` means.

    The last form (a prefix of the weights' hash) is what config.toml keeps, so that it can be used again.
    """
    if not resolved.engine.init_from:
        return None
    reference, _, which = resolved.engine.init_from.partition("@")
    run = index.find_run(workspace, reference)
    if len(which) == PINNED:
        found = next((c for c in complete(run.path) if c.sha256.startswith(which)), None)
        if found is None:
            raise UsageError(f"engine.init_from: {run.id} has no checkpoint any more with the weights {which}")
    else:
        found = choose(run.path, which or "best")
    if problems := found.problems():
        raise RunError(f"engine.init_from: {found.folder} cannot be used: {'; '.join(problems)}")
    return found


def _record(job: Job) -> dict[str, Any]:
    """What run.json says of how the run came to be."""
    resolved, catalog = job.resolved, job.catalog
    components = {
        part: {
            "name": spec.name,
            "plugin": catalog.owner(spec).name,
            "plugin_version": catalog.owner(spec).version,
            "version": spec.version,
        }
        for part, spec in resolved.specs.items()
    }
    return {
        "task": resolved.task.name,
        "metric": resolved.task.metric,
        "direction": resolved.task.direction,
        "components": components,
        "seed": resolved.engine.seed,
        "total_steps": job.course.total,
        "fingerprint": job.data.fingerprint(),
        "host": socket.gethostname(),
        "command": sys.argv,
        "git": _git_commit(),
        **_surroundings(job),
    }


def _surroundings(job: Job) -> dict[str, Any]:
    """What must be the same for a resume to be exact."""
    versions = {"dlkit": version("dlkit"), "python": platform.python_version(), "torch": torch.__version__}
    place = job.placement
    return {
        "versions": versions,
        "device": str(place.device),
        "precision": place.precision,
        "threads": place.threads,
    }


def _git_commit() -> str:
    """The commit of the folder that the command was given in; empty outside a repository."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def resume(
    catalog: Catalog,
    run: RunFolder,
    context: Context,
    *,
    overrides: Layer | None = None,
    allow_inexact: bool = False,
) -> Attempt:
    """Go on with a run from its last good checkpoint (step 0, if there is none).

    ``overrides`` are engine settings such as more epochs. UsageError: nothing left to do, or it would not be exact and
    ``allow_inexact`` is not given; RunError: alive, of a newer format, or no checkpoint can be read.
    """
    record = readable(run)
    if (process := holder(run.lock)) is not None:
        raise RunError(f"{run.id} is running (process {process})")
    resolved = stored_config(catalog, run, record, overrides)
    config = to_toml(resolved) if overrides else ""
    engine = resolved.engine.model_copy(update={"threads": record.get("threads", 0)})
    resolved = replace(resolved, sections={**resolved.sections, "engine": engine})
    init = run.init if run.init.exists() else None
    chosen = last_good(run, context)
    if chosen is None and init is None and engine.init_from:
        raise RunError(f"{run.id}: {run.init.name}, the weights that it starts from, is missing")
    weights = read_tensors(init) if init is not None else None
    job = prepare(catalog, resolved, context, init=weights, device=_device(record))
    if chosen is not None:
        check(chosen, resolved.task.name, resolved.specs["model"].name)
        if chosen.step >= job.course.total:
            raise UsageError(
                f"{run.id} is complete at step {chosen.step} of {job.course.total}: give --epochs or --steps to go on"
            )
    differences = _differences(job, record)
    if differences and not allow_inexact:
        raise UsageError(
            f"{run.id} cannot be resumed exactly: {'; '.join(differences)}. Give --allow-inexact to go on all the same"
        )
    if job.placement.device.type == "cuda" and not engine.deterministic:
        differences = (*differences, "CUDA kernels without engine.deterministic: equal to rounding")
    return Attempt(run, job, chosen, True, differences, config)


def readable(run: RunFolder) -> dict[str, Any]:
    """run.json of a run that this version can use; RunError otherwise."""
    try:
        record = run.read()
    except (OSError, ValueError) as error:
        raise RunError(f"{run.id}: {error}") from error
    if record.get("format", 0) > FORMAT:
        raise RunError(f"{run.id} was written by a newer dlkit (format {record['format']}); this one knows {FORMAT}")
    return record


def stored_config(
    catalog: Catalog, run: RunFolder, record: Mapping[str, Any], overrides: Layer | None = None
) -> Resolved:
    """A run's configuration, its components found again; PluginError names a plugin that is gone."""
    stored = read_toml(run.config)
    values: dict[str, Any] = {key: dict(v) if isinstance(v, Mapping) else v for key, v in stored.values.items()}
    for part in PARTS:
        origin = record.get("components", {}).get(part, {})
        found = [s for s in catalog.specs(part, record["task"]) if s.name == origin.get("name")]
        if not found:
            raise PluginError(
                f"{run.id} needs {part} {origin.get('name')!r} of plugin {origin.get('plugin')!r}, which is not there"
            )
        values[part] = _migrated(values.get(part, {}), found[0], int(origin.get("version", 1)))
    layers = [Layer(run.config.name, values), *([overrides] if overrides else [])]
    return resolve(catalog, record["task"], layers, suggest=False)


def _migrated(fields: dict[str, Any], spec: Any, version: int) -> dict[str, Any]:
    if spec.version == version or not spec.migrate:
        return fields
    name = fields.pop("name", spec.name)
    return {"name": name, **load_object(spec.migrate)(fields, version)}


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


def _device(record: Mapping[str, Any]) -> str | None:
    """Where the run was, if that is here."""
    kind, _, number = str(record.get("device", "cpu")).partition(":")
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        return f"cuda:{number or 0}" if int(number or 0) < count else ("cuda" if count else None)
    return kind if kind == "cpu" or torch.backends.mps.is_available() else None


def _differences(job: Job, record: Mapping[str, Any]) -> tuple[str, ...]:
    """Where this attempt's surroundings are not those the run was started in."""
    now, found = _surroundings(job), []
    for key in ("device", "precision", "threads"):
        same = str(now[key]).partition(":")[0] == str(record.get(key)).partition(":")[0]
        if not same:
            found.append(f"{key} was {record.get(key)}, is {now[key]}")
    before = record.get("versions", {}).get("torch")
    if before != now["versions"]["torch"]:
        found.append(f"torch was {before}, is {now['versions']['torch']}")
    if job.data.fingerprint() != record.get("fingerprint"):
        found.append("the data differs: its fingerprint is not the one the run was started with")
    return tuple(found)
