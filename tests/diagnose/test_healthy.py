"""Runs with nothing wrong: none of them is accused of anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from at_length import at_length
from diagnose.planted_runs import Train, points, toy, verdicts
from dlkit.catalog import Catalog
from dlkit.config import resolve
from dlkit.data.context import make_context
from dlkit.engine.start import start
from toy import finish

CONSTANT = {"schedule": "constant"}


def plane(seed: int, **trainer: Any) -> Train:
    """The toy's own run, longer."""
    return toy({"trainer": trainer} if trainer else None, epochs=12, seed=seed)


def deep(seed: int, data: str, lr: float, **more: Any) -> Train:
    """A deep model with enough points, by Adam."""
    trainer = {"optimizer": "adamw", "lr": lr, **CONSTANT}
    dataset = {"name": data, "points": 600} if data != "plane" else {"name": data, "points": 300}
    return toy({"model": {"name": "deep"}, "dataset": dataset, "trainer": trainer}, epochs=15, seed=seed, **more)


def shapes(name: str, seed: int, **model: Any) -> Train:
    return points({"dataset": {"name": name, "seed": seed}, "model": {"name": "mlp", **model}}, epochs=20, seed=seed)


HEALTHY: dict[str, Train] = {
    **{f"plane {seed}": plane(seed) for seed in range(6)},
    **{f"plane, adam {seed}": plane(seed, optimizer="adamw", lr=0.05) for seed in range(3)},
    **{f"plane, momentum {seed}": plane(seed, momentum=0.8, lr=0.02) for seed in range(3)},
    **{f"deep plane {seed}": deep(seed, "plane", 3e-3) for seed in range(5)},
    **{f"curved {seed}": deep(seed, "curved", 3e-3) for seed in range(5)},
    **{f"curved, looked into {seed}": deep(seed, "curved", 3e-3, layers=True, sample_every="3 epochs")
       for seed in range(3)},
    **{f"{name} {seed}": shapes(name, seed)
       for name in ("blobs", "moons", "circles", "xor", "and", "or") for seed in range(3)},
    **{f"moons, relu {seed}": shapes("moons", seed, activation="relu", hidden=[16, 16]) for seed in range(2)},
    "one epoch": toy(epochs=1),
    "no steps": toy(epochs=None, steps=0),
    "stops early": toy({"trainer": {"lr": 0.05}}, epochs=60, early_stopping=5),
}  # fmt: skip


def accused(run: Any) -> list[str]:
    return [verdict.text for verdict in verdicts(run) if verdict.weight == "bad"]


def test_there_are_enough() -> None:
    assert len(HEALTHY) >= 40


@pytest.mark.parametrize("label", HEALTHY)
def test_none_is_accused(label: str, tmp_path: Path) -> None:
    run = HEALTHY[label](tmp_path)
    assert run.read()["state"] == "completed"
    assert accused(run) == []


TASKS = (
    "autoencoder", "classification", "conjugation", "detection", "embeddings", "gan", "localization", "points",
    "regression", "scratch", "style", "textgen", "translation",
)  # fmt: skip


TRUE = {"conjugation": {"class-ignored", "overfitting"}}
"""Of default runs what is true: the embedded text has three forms of "to be" too seldom for them to be learned."""
OTHERS = {"busy-machine", "threads-fight"}
"""What is said of the machine that the tests have."""


@at_length
@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_no_default_run_of_a_task_is_accused(task: str, tmp_path: Path) -> None:
    """As somebody begins: nothing said but how long, where its own length takes more than a test may."""
    from dlkit.config import Layer

    catalog = Catalog.load_everything()
    if task not in {spec.name for spec in catalog.specs("task")}:
        pytest.skip("no such task here")
    settings = {"engine": {"device": "cpu", "sample_every": "never", "max_time": 60.0}}
    resolved = resolve(catalog, task, [Layer("test", settings)])
    run = finish(start(catalog, resolved, tmp_path, make_context(catalog, tmp_path)))
    bad = [verdict for verdict in verdicts(run) if verdict.weight == "bad" and verdict.name not in OTHERS]
    assert [verdict.text for verdict in bad if verdict.name not in TRUE.get(task, ())] == []
