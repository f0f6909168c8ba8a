"""A run trained as one with others comes to what it comes to alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from dlkit.engine.stacked.forward import Layered, RowByRow, Vmapped
from dlkit.engine.stacked.members import row_of
from dlkit.engine.stacked.parts import LEAST, parts_for
from dlkit.engine.stacked.stack import Stack
from dlkit.engine.stacked.structure import take_as_tried
from dlkit.engine.threads import Cores
from outcome import finished, outcome, values_of
from stacks import alone, apart, configured, new_jobs, stacked, trained

CLOSE = 1e-5
SGD = {"trainer.optimizer": "sgd", "trainer.momentum": 0.9}
DIFFERENT: list[dict[str, Any]] = [
    {"trainer.lr": 0.02, "engine.seed": 1, "trainer.weight_decay": 1e-2},
    {"trainer.lr": 0.05, "engine.seed": 1, "trainer.momentum": 0.5},
    {"trainer.lr": 0.01, "engine.seed": 2, "trainer.schedule": "cosine", "trainer.warmup": 0.2},
    {"trainer.lr": 0.03, "engine.seed": 3, "model.init": "small", "trainer.l1": 1e-3},
]
"""One seed for two of them: batches are gathered for each row all the same."""
ENGINE = {"engine.eval_every": "5 steps", "engine.probe_every": 3, "engine.epochs": 4}


def both(where: Path, settings: Sequence[dict[str, Any]], common: dict[str, Any], **how: str) -> Any:
    made = configured(*({**common, **one} for one in settings), **how)
    runs = trained(stacked(where / "stack", made))
    return zip(runs, [alone(where / "alone", resolved) for resolved in made], strict=True)


@pytest.mark.parametrize("model", ["layers", "gated"])
@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh"])
def test_bits_are_equal_in_float64(tmp_path: Path, model: str, activation: str) -> None:
    common = {**SGD, **ENGINE, "model.activation": activation, "model.dropout": 0.2, "engine.clip": 0.5}
    for one, other in both(tmp_path, DIFFERENT, common, task="toy64", model=model):
        assert outcome(one) == outcome(other)  # weights, momentum, generators: everything that a resume needs
        assert values_of(one) == values_of(other)
        assert finished(one).status == "completed"


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("model", ["layers", "gated"])
def test_float32_is_close(tmp_path: Path, optimizer: str, model: str) -> None:
    common = {
        **ENGINE,
        "trainer.optimizer": optimizer,
        "model.dropout": 0.1,
        "engine.clip": 1.0,
        "model.activation": "gelu",
    }
    for one, other in both(tmp_path, DIFFERENT, common, model=model):
        assert apart(one, other) < CLOSE


def test_wide_rows_are_updated_by_the_kernel_of_a_run_alone(tmp_path: Path) -> None:
    common = {**SGD, **ENGINE, "model.hidden": [64, 160], "engine.epochs": 1}
    for one, other in both(tmp_path, DIFFERENT, common):
        assert apart(one, other) < CLOSE


def test_products_of_all_rows_at_once_give_the_same_bits(tmp_path: Path) -> None:
    common = {**SGD, **ENGINE, "model.hidden": [48, 32], "model.dropout": 0.3}
    for one, other in both(tmp_path, DIFFERENT, common, task="toy64"):
        assert outcome(one) == outcome(other)


def test_without_momentum_and_of_one_seed(tmp_path: Path) -> None:
    settings = [{"trainer.lr": 0.01 * k, "model.dropout": 0.1 * k} for k in (1, 2, 3)]
    for one, other in both(tmp_path, settings, {**ENGINE, "trainer.momentum": 0.0}, task="toy64"):
        assert outcome(one) == outcome(other)


@pytest.mark.parametrize(
    ("task", "model"), [("toy64", "layers"), ("toy64", "gated"), ("toy", "layers"), ("toy", "gated")]
)
def test_parts_that_threads_take_come_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, model: str
) -> None:
    """Rows of a part know nothing of those of another; bits are equal to those of a stack in one piece, too."""
    common = {**SGD, **ENGINE, "model.dropout": 0.2, "engine.clip": 0.5}
    made = configured(*({**common, **one} for one in DIFFERENT), task=task, model=model)
    whole = trained(stacked(tmp_path / "whole", made))
    monkeypatch.setattr("dlkit.engine.stacked.training.parts_for", lambda jobs, cores: min(3, len(jobs)))
    runs = trained(stacked(tmp_path / "parts", made))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stack")], "its threads are gone"
    for one, other in zip(runs, whole, strict=True):
        assert outcome(one) == outcome(other) and values_of(one) == values_of(other)
    if task == "toy64":
        assert outcome(runs[0]) == outcome(alone(tmp_path / "alone", made[0]))


def test_long_steps_take_the_cores_that_are_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless somebody has said how many threads there are to be."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    made = new_jobs(tmp_path, configured(*({"engine.seed": k, "engine.batch_size": 8} for k in range(9))))
    row, threads = 8 * sum(p.numel() for p in made[0].trainer.model.parameters()), made[0].placement.threads
    assert parts_for(made, lambda _: Cores(8)) == 1, "of steps so short Python's work is most"
    monkeypatch.setattr("dlkit.engine.stacked.parts.BUSY", 4 * row)
    assert parts_for(made, lambda _: Cores(2 * threads)) == 2 and parts_for(made, lambda _: Cores(threads)) == 1
    assert parts_for(made, lambda _: Cores(8 * threads)) == 9 // LEAST, "no part of a row or two"
    assert parts_for(made[:3], lambda _: Cores(8)) == 1
    said = new_jobs(tmp_path, configured(*({"engine.threads": 1, "engine.seed": k} for k in range(9))))
    assert parts_for(said, lambda _: Cores(8)) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert parts_for(made, lambda _: Cores(8)) == 1


def test_augmented_and_made_one_by_one(tmp_path: Path) -> None:
    for dataset in ({"dataset.jitter": 0.1}, {"dataset.mapped": True}):
        for one, other in both(tmp_path / str(len(str(dataset))), DIFFERENT, {**SGD, **ENGINE, **dataset}):
            assert apart(one, other) < CLOSE


def test_a_loss_that_looks_at_values_is_asked_for_each_row(tmp_path: Path) -> None:
    for one, other in both(tmp_path, DIFFERENT, {**SGD, **ENGINE, "loss": {"name": "read"}}):
        assert apart(one, other) < CLOSE


@pytest.mark.parametrize(
    ("task", "model", "way"),
    [("toy", "layers", Layered), ("toy64", "layers", Layered), ("toy", "gated", Vmapped), ("toy64", "gated", RowByRow)],
)
def test_each_network_goes_the_fastest_way_that_it_bears(tmp_path: Path, task: str, model: str, way: type) -> None:
    made = new_jobs(tmp_path, configured({}, {"engine.seed": 1}, task=task, model=model))
    stack = Stack([row_of(job, torch.Generator()) for job in made])
    take_as_tried(stack, made[0])
    assert type(stack.forward) is way
