"""Whole runs: features computed once, to the bit; resumed exactly; weights of another run; rates by block."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import dlkit
from dlkit.data.weights import embedded_weights
from dlkit.engine.checkpoint import load_state, tensors_of
from dlkit.errors import UsageError
from dlkit.runs import faults
from dlkit.runs.checkpoints import choose
from dlkit.runs.log import read_events

Images = Callable[..., Path]
FIRST = "stages.0.0.0.weight"


def train(root: Path, workspace: Path, **sections: Any) -> dlkit.Run:
    engine = {"threads": 1, "sample_every": "end", **sections.pop("engine", {})}
    dataset = {"name": "files", "path": str(root), "size": 32, **sections.pop("dataset", {})}
    return dlkit.train(
        "classification",
        dataset=dataset,
        model={"name": "pretrained", **sections.pop("model", {})},
        trainer={"name": "transfer", **sections.pop("trainer", {})},
        engine={"epochs": 3, "batch_size": 8, "precision": "float32", "eval_every": "1 epoch", **engine},
        workspace=workspace,
        offline=True,
        device="cpu",
        **sections,
    )


def said(run: dlkit.Run) -> str:
    return "\n".join(getattr(event, "text", "") for event in read_events(run.folder.events))


def learned(run: dlkit.Run) -> dict[str, torch.Tensor]:
    return tensors_of(choose(run.path, "last"), "model.safetensors")


@pytest.mark.parametrize("unfreeze", [0, 2])
def test_computed_once_or_at_every_step_it_is_the_same(unfreeze: int, images: Images, tmp_path: Path) -> None:
    options = {"unfreeze": unfreeze}
    cached = train(images(), tmp_path / "one", model=options)
    anew = train(images(), tmp_path / "two", model=options, trainer={"cache": False})
    one, two = learned(cached), learned(anew)
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
    assert cached.history("val/accuracy") == anew.history("val/accuracy")
    assert cached.history("train/loss") == anew.history("train/loss")
    assert "features of train" in said(cached) and "features of" not in said(anew)
    assert not any(name.startswith("body.stages.0") for name in one), "what is frozen is in no checkpoint"
    assert any(name.startswith("body.stages.3") for name in one) is (unfreeze > 0)
    assert cached.evaluate("test") == anew.evaluate("test")


def test_augmentation_switches_it_off_and_says_so_and_views_are_kept(images: Images, tmp_path: Path) -> None:
    augmented = {"flip": True, "crop": 3}
    run = train(images(), tmp_path, dataset=augmented)
    assert "images are augmented, so that features are computed anew" in said(run) and "features of" not in said(run)
    kept = train(images(), tmp_path, dataset=augmented, trainer={"views": 3})
    assert "augmented, so" not in said(kept) and "features of train" in said(kept)
    again = train(images(), tmp_path, dataset=augmented, trainer={"views": 3})
    assert again.history("train/loss") == kept.history("train/loss")
    one = train(images(), tmp_path, dataset=augmented, trainer={"views": 1})
    assert one.history("train/loss") != kept.history("train/loss")


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"model": {"unfreeze": 2}, "trainer": {"optimizer": "sgd", "lr": 0.01}},
        {"dataset": {"flip": True}, "trainer": {"views": 2}},
        {"model": {"weights": "none"}},
    ],
)
def test_killed_and_resumed_it_is_as_if_never_stopped(sections: Any, images: Images, tmp_path: Path) -> None:
    """kill -9 while a checkpoint is being written, in a process of its own."""
    root = images()
    whole = train(root, tmp_path / "one", **sections)
    child = os.fork()
    if child == 0:
        faults._label, faults._left = "checkpoint.written", 1
        try:
            train(root, tmp_path / "two", **sections)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    (part,) = dlkit.list_runs(tmp_path / "two")
    assert part.state == "interrupted"
    part.resume()
    one, two = learned(whole), learned(part)
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
    assert whole.history("val/loss") == part.history("val/loss")
    assert whole.history("train/loss") == part.history("train/loss")


def test_weights_of_another_run_are_found_in_its_model(images: Images, tmp_path: Path) -> None:
    first = train(images(), tmp_path, model={"unfreeze": 7}, trainer={"lr": 0.01})
    moved, start = learned(first)[f"body.{FIRST}"], embedded_weights()
    assert start is not None and not torch.equal(moved, start[FIRST])
    second = train(images(), tmp_path, model={"weights": f"{first.id}@last"})
    assert torch.equal(second.predictor().model.state_dict()[f"body.{FIRST}"], moved)
    with pytest.raises(UsageError, match="no run"):
        train(images(), tmp_path, model={"weights": "nothing-like-that"})


def test_blocks_that_were_trained_before_have_lower_rates(images: Images, tmp_path: Path) -> None:
    trainer = {"optimizer": "sgd", "lr": 0.1, "schedule": "constant", "block_rate": 0.1, "block_decay": 0.5}
    run = train(images(), tmp_path, model={"unfreeze": 3}, trainer=trainer)
    (state,) = load_state(choose(run.path, "last"))["trainer"]["optimizers"]
    assert sorted({round(group["lr"], 6) for group in state["param_groups"]}) == [0.0025, 0.005, 0.01, 0.1]
    with pytest.raises(UsageError, match="has one rate for all blocks"):
        train(images(), tmp_path, model={"unfreeze": 3}, trainer={"optimizer": "muon"})


def test_it_is_made_for_one_model_alone(images: Images, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"trainer 'transfer' is made for model 'pretrained', not for a Sequential"):
        train(images(), tmp_path, model={"name": "mlp"})


def test_it_learns_with_the_trainer_of_all_models_too(images: Images, tmp_path: Path) -> None:
    run = train(images(), tmp_path, trainer={"name": "supervised", "lr": 0.01})
    assert run.metrics["val/accuracy"] >= 0.8
