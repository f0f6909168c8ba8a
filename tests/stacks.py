"""What tests of stacks share: configurations of runs, trained as one and each alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved, resolve
from dlkit.data.context import Context
from dlkit.engine.build import Job, prepare
from dlkit.engine.checkpoint import MODEL, tensors_of
from dlkit.engine.stacked.starting import start_stack
from dlkit.engine.stacked.training import StackedTraining
from dlkit.engine.start import start
from dlkit.runs.checkpoints import choose
from dlkit.runs.folder import RunFolder
from outcome import values_of
from toy import finish, toy_catalog

Settings = Mapping[str, Any]


def catalog() -> Catalog:
    return toy_catalog("stackable", "extras")


def configured(*settings: Settings, task: str = "toy", model: str = "layers") -> list[Resolved]:
    """Configurations, of sections (or dotted keys) each; what all have is here."""
    common = {"engine": {"device": "cpu"}, "model": {"name": model}, "loss": {"name": "squared"}}
    return [resolve(catalog(), task, [Layer("test", common), Layer("test", _nested(own))]) for own in settings]


def _nested(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in settings.items():
        section, _, name = key.partition(".")
        if name:
            found.setdefault(section, {})[name] = value
        else:
            found.setdefault(section, {}).update(value)
    return found


def stacked(workspace: Path, configurations: Sequence[Resolved]) -> StackedTraining:
    return start_stack(catalog(), configurations, workspace, Context(workspace / "data"))


def trained(training: StackedTraining) -> list[RunFolder]:
    for _ in training.events():
        pass
    return training.runs


def new_jobs(workspace: Path, configurations: Sequence[Resolved]) -> list[Job]:
    """Built, in no folder."""
    context = Context(workspace / "data")
    jobs = [prepare(catalog(), resolved, context) for resolved in configurations]
    for job in jobs:
        job.trainer.model.train()
    return jobs


def alone(workspace: Path, resolved: Resolved) -> RunFolder:
    return finish(start(catalog(), resolved, workspace, Context(workspace / "data")))


def weights_of(run: RunFolder) -> dict[str, Tensor]:
    """Those of its last checkpoint."""
    return tensors_of(choose(run.path, "last"), MODEL)


def apart(one: RunFolder, other: RunFolder) -> float:
    """How far two runs are: in weights, relative to a tensor's largest, and in all values that they recorded."""
    mine, theirs = values_of(one), values_of(other)
    assert mine.keys() == theirs.keys()
    found = [abs(mine[key] - value) / max(abs(value), 1e-6) for key, value in theirs.items()]
    here, there = weights_of(one), weights_of(other)
    assert here.keys() == there.keys()
    found += [float((here[n] - t).abs().max() / t.abs().max().clamp(min=1e-6)) for n, t in there.items()]
    return max(found)
