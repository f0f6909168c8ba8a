"""Every planted fault is named, with evidence and with commands that exist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diagnose.planted_runs import Planted, died, killed, points, signalled, table, told, toy, verdicts
from dlkit.runs.folder import RunFolder

SGD = {"optimizer": "sgd", "schedule": "constant"}
MUON = {"optimizer": "muon", "schedule": "constant"}
ADAM = {"optimizer": "adamw", "schedule": "constant"}


def deep(lr: float, trainer: dict[str, Any] = SGD, data: str = "plane", **model: Any) -> dict[str, Any]:
    return {"model": {"name": "deep", **model}, "trainer": {**trainer, "lr": lr}, "dataset": {"name": data}}


def loss(name: str, good: int) -> dict[str, Any]:
    return {"loss": {"name": name, "good_steps": good}}


def data(name: str, **options: Any) -> dict[str, Any]:
    return {"dataset": {"name": name, **options}}


def little(seed: int, **model: Any) -> dict[str, Any]:
    """Twenty-four noisy points for a large model."""
    return {
        "model": {"name": "deep", "hidden": [64, 64], **model},
        "dataset": {"name": "curved", "points": 24, "noise": 0.3},
        "trainer": {**ADAM, "lr": 0.01},
    }


FAILING = [
    Planted("a rate beyond all", toy({"trainer": {"lr": 1e9}}, epochs=9), "diverged", "train/loss became"),
    Planted("a rate of a thousand", toy({"trainer": {"lr": 1e3}}, epochs=50), "diverged", "train/loss became"),
    Planted("a rate of ten", toy({"trainer": {"lr": 10.0}}, epochs=90), "diverged", "left its course since step"),
    Planted("a deep model", toy(deep(100.0), epochs=20), "diverged", "train/loss became"),
    Planted("looked into", toy({"trainer": {"lr": 10.0}}, epochs=90, layers=True, sample_every="1 steps"), "diverged",
            "the gradient of linear had grown most"),
    Planted("a loss that is no number", toy(loss("not-a-number", 3), epochs=3), "diverged", "(step 3)"),
    Planted("one that never is", toy(loss("not-a-number", 0), epochs=3), "diverged", "never was a number"),
    Planted("a loss alone", toy(loss("infinite", 5), epochs=3), "diverged", "weights are not finite"),
    Planted("a loss without bounds", toy(loss("infinite", 5), epochs=3), "diverged", "inf"),
    Planted("set by somebody", told("set", "trainer.lr", 1e9, epochs=40), "diverged", "trainer.lr was set to"),
    Planted("no memory", toy({"model": {"name": "greedy"}}, epochs=3), "out-of-memory", "8796.1 GB"),
    Planted("no memory at once", toy({"model": {"name": "greedy", "good_steps": 0}}, epochs=3), "out-of-memory"),
    Planted("no memory, with Adam", toy({"model": {"name": "greedy"}, "trainer": ADAM}), "out-of-memory", "optimizer"),
    Planted("killed for memory", died(-9, for_memory=True), "out-of-memory", "the system killed it"),
    Planted("a picture is gone", toy(data("vanishing")), "data-missing", "/data/photos/0042.png"),
    Planted("gone later", toy(data("vanishing", good_samples=200)), "data-missing", "No such file"),
    Planted("a picture is none", toy(data("corrupt")), "data-missing", "not an image"),
    Planted("a model raises", toy({"model": {"name": "raising"}}), "plugin-broken", "'faults'"),
    Planted("a model's sizes", toy({"model": {"name": "misshapen"}}), "plugin-broken", "faults_parts.misshapen"),
    Planted("a loss raises", toy(loss("raising-loss", 4)), "plugin-broken", "target 7 is out of bounds"),
    Planted("another plugin's model", toy({"model": {"name": "faulty"}}), "plugin-broken", "'toy'"),
    Planted("no room", toy(data("full-disk")), "disk-full", "the disk is full"),
    Planted("no room later", toy(data("full-disk", good_samples=150)), "disk-full", "the disk is full"),
    Planted("somebody stops it", told("stop", epochs=50), "stopped", "Ada"),
    Planted("Ctrl-C", signalled("interrupted (Ctrl-C)"), "stopped", "Ctrl-C"),
    Planted("a cluster's notice", signalled("terminated (SIGTERM)"), "killed", "SIGTERM"),
    Planted("kill -9", killed, "killed", "without a word"),
    Planted("a worker's kill -9", died(-9), "killed", "SIGKILL"),
    Planted("a worker's SIGTERM", died(-15), "killed", "SIGTERM"),
    Planted("below Python", died(-11), "crashed", "SIGSEGV"),
    Planted("an abort", died(-6), "crashed", "SIGABRT"),
    Planted("an exit", died(3), "crashed", "code 3"),
]  # fmt: skip
LEARNING = [
    *(
        Planted(f"few points {n}", toy(little(n), epochs=60, batch_size=8, seed=n), "overfitting", "rises")
        for n in range(4)
    ),
    *(
        Planted(
            f"overlapping clouds {n}",
            points({"dataset": {"name": "blobs", "points": 80, "noise": 1.0, "seed": n},
                    "model": {"name": "mlp", "hidden": [64, 64]}, "trainer": {**ADAM, "lr": 0.02}},
                   epochs=60, batch_size=16, seed=n),
            "overfitting", "epoch",
        )
        for n in range(2)
    ),
    Planted("a rate of nothing", toy({"trainer": {"lr": 1e-6}}, epochs=9), "no-better-than-constant", "val/mse"),
    Planted("answers by lot", toy(data("unrelated"), epochs=9), "no-better-than-constant", "looks at its input"),
    Planted("classes, no rate", points({"dataset": {"name": "moons"}, "trainer": {"lr": 1e-7}}, epochs=8),
            "no-better-than-constant", "val/accuracy"),
    Planted("one class in another", table({"a": (190, 0.0), "b": (190, 3.0), "rare": (20, 0.0)}, epochs=20),
            "class-ignored", "'rare'"),
    Planted("two classes in others", table({"a": (190, 0.0), "b": (190, 3.0), "c": (190, 6.0), "rare": (20, 0.0),
                                            "odd": (20, 3.0)}, epochs=20), "class-ignored", "'odd'"),
    Planted("dead from the start", toy(deep(1e-3, offset=-50.0), epochs=5, layers=True, sample_every="1 epochs"),
            "dead-units", "100 %"),
    Planted("killed by a step", toy(deep(3.0, ADAM), epochs=6, layers=True, sample_every="1 epochs"), "dead-units"),
    Planted("steps of nothing", toy(deep(1e-9), epochs=6, layers=True, sample_every="1 epochs"), "rate-too-low"),
    Planted("a straight line", toy(deep(2e-5, data="curved"), epochs=60, batch_size=96), "rate-too-low", "straight"),
    Planted("steps of it all", toy(deep(1.0, MUON), epochs=6, layers=True, sample_every="1 epochs"), "rate-too-high"),
    Planted("a loss that rises", toy(deep(0.1, ADAM, "curved"), epochs=40), "rate-too-high", "rises since epoch"),
    Planted("forgotten", points({"dataset": {"name": "moons", "points": 400}, "trainer": {**SGD, "lr": 1.0},
                                 "model": {"name": "mlp", "activation": "relu", "hidden": [32, 32]}}, epochs=30),
            "collapsed", "no better now"),
    Planted("cut short", toy(deep(3e-3, ADAM, "curved"), epochs=12), "still-improving", "val/mse"),
    Planted("cut short, slow", toy(deep(1e-2, SGD, "curved"), epochs=20), "still-improving"),
    Planted("done long ago", toy({"trainer": {"lr": 0.05}, "model": {"dropout": 0.0}}, epochs=40), "plateau", "stayed"),
    Planted("done long ago, deep", toy({"trainer": {"lr": 0.05}}, epochs=60), "plateau", "since epoch"),
]  # fmt: skip


def test_there_are_enough() -> None:
    assert len(FAILING) + len(LEARNING) >= 40
    assert len({fault.label for fault in FAILING + LEARNING}) == len(FAILING + LEARNING)


@pytest.mark.parametrize("fault", FAILING + LEARNING, ids=lambda fault: fault.label)
def test_the_fault_is_named(fault: Planted, tmp_path: Path) -> None:
    run = fault.train(tmp_path / "workspace")
    found = {verdict.name: verdict for verdict in verdicts(run) if verdict.weight != "unknown"}
    assert fault.name in found, [verdict.text for verdict in found.values()]
    verdict = found[fault.name]
    said = "; ".join([verdict.text, *(seen.text for seen in verdict.evidence)])
    assert fault.says in said
    assert verdict.evidence and (verdict.mends or verdict.name == "plateau")
    if fault in FAILING:  # how it ended is one thing
        assert next(iter(found)) == fault.name
    _in_words(run)


def _in_words(run: RunFolder) -> None:
    """It can be told, to people and to programs."""
    import json

    from dlkit.diagnose.words import document, explained

    found = verdicts(run)
    for width in (20, 80):
        assert all(verdict.text.split()[0] in explained(run, found, width) for verdict in found)
    json.dumps([document(verdict, run) for verdict in found], allow_nan=False)
