"""Runs as folders, without training: what lists and screens are tried on, by the hundred."""

from __future__ import annotations

import json
import math
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from dlkit.events import Event, Finished, MetricsLogged, Started, to_json
from dlkit.runs.files import write_json
from dlkit.runs.folder import FORMAT, RunFolder
from dlkit.runs.own import make_key, marked
from dlkit.runs.run_record import RunRecord

TASKS = ("regression", "classification", "toy")
STATES = ("completed", "completed", "stopped", "failed", "interrupted")


def record_run(
    workspace: Path, number: int = 0, *, state: str = "completed", task: str = "toy", **fields: Any
) -> RunFolder:
    """A run of 100 steps whose metric falls; ``interrupted``: it says running, and nobody is there."""
    created = time.time() - 60.0 * (number + 1)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(created))
    run = RunFolder(workspace / "runs" / f"{stamp}-{task}-linear-{number:04x}")
    run.path.mkdir(parents=True)
    for folder in (run.samples, run.checkpoints):
        folder.mkdir()
    run.config.write_text(f'task = "{task}"\n')
    best = 1.0 / (1 + number % 7)
    result = {"step": 100, "total_steps": 100, "last": best * 1.1, "best": best, "metrics": {"val/mse": best},
              "updated": created + 12.5, "seconds": 12.5}  # fmt: skip
    record = {
        "format": FORMAT, "id": run.id, "name": f"try {number}" if number % 3 == 0 else "", "task": task,
        "state": "running" if state == "interrupted" else state, "created": created, "metric": "val/mse",
        "direction": "min", "device": "cpu", "host": socket.gethostname(),
        "components": {"model": {"name": "linear"}, "dataset": {"name": "plane"}},
    }  # fmt: skip
    if state in ("completed", "stopped", "failed"):
        record |= {"result": result, "reason": "loss is nan at step 100" if state == "failed" else ""}
    write_events(run, course(created, best, state))
    if state == "queued":  # as ``submit`` leaves it: its workspace knows it
        whole = cast(RunRecord, {**record, "job": {"queued": False}, **fields})
        record = {**marked(make_key(workspace), run.id, whole, run.config.read_bytes())}
        fields = {}
    write_json(run.record, {**record, **fields})
    return run


def record_runs(workspace: Path, count: int) -> list[RunFolder]:
    """Many, of several tasks, in several states; the first is the newest."""
    return [record_run(workspace, i, state=STATES[i % len(STATES)], task=TASKS[i % len(TASKS)]) for i in range(count)]


def record_seeds(
    workspace: Path, settings: Sequence[Mapping[str, object]], state: str = "completed"
) -> list[RunFolder]:
    """Runs of these settings (lr, seed, epochs) that came to their ``mse``."""
    runs = []
    for number, told in enumerate(settings):
        run = record_run(workspace, number + 100 * (state != "completed"), state=state)
        run.config.write_text(
            f'task = "toy"\n[engine]\nseed = {told["seed"]}\nepochs = {told.get("epochs", 3)}\n'
            f'[dataset]\nname = "plane"\n[model]\nname = "linear"\n[trainer]\nlr = {told["lr"]}\n'
        )
        record = json.loads(run.record.read_text())
        record["result"] = {**(record.get("result") or {}), "metrics": {"val/mse": told["mse"], "val/mse/cat": 1.0}}
        run.record.write_text(json.dumps(record))
        runs.append(run)
    return runs


def course(began: float, best: float, state: str) -> list[Event]:
    """What such a run tells."""
    losses = [best + math.exp(-step / 20) for step in range(1, 101)]
    events: list[Event] = [
        Started(total_steps=100, epoch_steps=20, summary={"model": {"parameters": 4}}),
        MetricsLogged(first=1, count=100, values={"train/loss": losses}, epoch=4, rate=8.0),
        MetricsLogged(first=20, count=5, every=20, values={"val/mse": losses[19::20]}, epoch=4, rate=8.0),
    ]
    if state in ("completed", "stopped", "failed"):
        metrics = {"val/mse": best}
        events.append(
            Finished(run="", status=state, metrics=metrics, seconds=12.5, train_seconds=12.0, steps=100,
                     reason="loss is nan at step 100" if state == "failed" else "",
                     traceback="Traceback: nan" if state == "failed" else "")
        )  # fmt: skip
    return events


def write_events(run: RunFolder, events: Sequence[Event], first: int = 0) -> None:
    """Append events, numbered from ``first``, a tenth of a second apart."""
    import dataclasses

    began = time.time()
    with run.events.open("a", encoding="utf-8") as file:
        for i, event in enumerate(events, first):
            file.write(to_json(dataclasses.replace(event, seq=i, time=round(began + i / 10, 3))) + "\n")
