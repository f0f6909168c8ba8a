"""Runs with a fault that was planted, and runs that have none: really trained, in milliseconds each."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.diagnose import Verdict, diagnose, read_record
from dlkit.engine.signals import StopSignals
from dlkit.engine.start import start
from dlkit.events import MetricsLogged
from dlkit.jobs.post_mortem import post_mortem
from dlkit.runs import commands
from dlkit.runs.conclude import end_run
from dlkit.runs.folder import RunFolder
from toy import finish, toy_attempt

Layers = dict[str, Any]
Train = Callable[[Path], RunFolder]


class Planted(NamedTuple):
    """``name`` is that of the verdict that must be given, ``says`` what its sentence or evidence must hold."""

    label: str
    train: Train
    name: str
    says: str = ""


def verdicts(run: RunFolder) -> list[Verdict]:
    return diagnose(read_record(run))


def toy(layer: Layers | None = None, **engine: Any) -> Train:
    return lambda workspace: finish(_attempt(workspace, layer, engine))


def _attempt(workspace: Path, layer: Layers | None, engine: Layers) -> Any:
    settings = {"sample_every": "never", "checkpoint_every": 1e9, **engine}
    return toy_attempt(workspace, layer=layer, plugins=["faults"], **settings)


@cache
def _everything() -> Catalog:
    return Catalog.load_everything()


def points(layer: Layers, **engine: Any) -> Train:
    """The task of that name, which has classes."""

    def train(workspace: Path) -> RunFolder:
        settings = {"device": "cpu", "sample_every": "never", "checkpoint_every": 1e9, **engine}
        resolved = resolve(_everything(), "points", [Layer("test", {**layer, "engine": settings})])
        return finish(start(_everything(), resolved, workspace, make_context(_everything(), workspace)))

    return train


def told(action: str, key: str = "", value: object = None, *, layer: Layers | None = None, **engine: Any) -> Train:
    """It is told something after its first epoch's evaluation."""

    def train(workspace: Path) -> RunFolder:
        attempt = _attempt(workspace, layer, engine)
        for event in attempt.events():
            if isinstance(event, MetricsLogged) and "val/loss" in event.values and not attempt.run.commands.exists():
                commands.append(attempt.run.commands, action, key, value, by="Ada")
        return attempt.run  # type: ignore[no-any-return]

    return train


def signalled(reason: str) -> Train:
    """A signal has come."""

    def train(workspace: Path) -> RunFolder:
        attempt, signals = _attempt(workspace, None, {"epochs": 50}), StopSignals()
        for event in attempt.events(signals):
            if isinstance(event, MetricsLogged):
                signals.asked = reason
        return attempt.run  # type: ignore[no-any-return]

    return train


def killed(workspace: Path) -> RunFolder:
    """A process that trains kills itself with SIGKILL."""
    attempt = _attempt(workspace, None, {"epochs": 50})
    child = os.fork()
    if not child:
        for event in attempt.events():
            if isinstance(event, MetricsLogged):
                os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)
    os.waitpid(child, 0)
    return attempt.run  # type: ignore[no-any-return]


def died(code: int, *, for_memory: bool = False) -> Train:
    """Its process ended so under a supervisor, which says what one can say from outside."""

    def train(workspace: Path) -> RunFolder:
        run = killed(workspace)
        death = post_mortem(run.path, code, 1, for_memory=for_memory)
        if death.silent:
            run.update(reason=death.reason)
        else:
            end_run(run, "failed", death.reason, known=death.known, cause=death.cause)
        return run

    return train


def classes(workspace: Path, counts: Mapping[str, tuple[int, float]]) -> str:
    """A table of points: for each class how many, and where they are across."""
    import random

    draw = random.Random(3)
    rows = [
        f"{where + draw.gauss(0, 0.3):.4f},{draw.gauss(0, 0.3):.4f},{name}"
        for name, (count, where) in counts.items()
        for _ in range(count)
    ]
    draw.shuffle(rows)
    path = workspace / "points.csv"
    workspace.mkdir(exist_ok=True)
    path.write_text("\n".join(["x,y,label", *rows]) + "\n")
    return str(path)


def table(counts: Mapping[str, tuple[int, float]], layer: Layers | None = None, **engine: Any) -> Train:
    def train(workspace: Path) -> RunFolder:
        data = {"name": "files", "path": classes(workspace, counts)}
        return points({"dataset": data, **(layer or {})}, **engine)(workspace)

    return train
