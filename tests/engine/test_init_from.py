"""Starting from another run's weights: they are copied, and pinned by their hash."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from dlkit.config_file import read_toml
from dlkit.data.layout import file_sha256
from dlkit.engine.checkpoint import tensors_of
from dlkit.errors import DlkitError, RunError, UsageError
from dlkit.runs.checkpoints import choose
from dlkit.runs.folder import RunFolder
from outcome import outcome
from toy import finish, toy_attempt, toy_resume, toy_run

STILL: dict[str, Any] = {"trainer": {"optimizer": "sgd", "lr": 1e-30}}
"""Trains, and changes nothing."""


@pytest.fixture
def source(tmp_path: Path) -> RunFolder:
    layer = {"model": {"name": "linear", "dropout": 0.0}, "trainer": {"optimizer": "sgd", "lr": 1.2, "momentum": 0.0}}
    return toy_run(tmp_path, layer=layer, keep=5)  # diverges: the first evaluation is the best


@pytest.mark.parametrize(("suffix", "which"), [("", "best"), ("@best", "best"), ("@last", "last"), ("@18", "18")])
def test_training_starts_from_the_weights_asked_for(tmp_path: Path, source: RunFolder, suffix: str, which: str) -> None:
    wanted = choose(source.path, which)
    run = toy_run(tmp_path, layer=STILL, init_from=source.id + suffix, epochs=1)
    assert choose(run.path, "last").sha256 == wanted.sha256
    assert file_sha256(run.init) == wanted.sha256


def test_the_configuration_pins_what_was_taken(tmp_path: Path, source: RunFolder) -> None:
    run = toy_run(tmp_path, layer=STILL, init_from="last", epochs=1)
    pinned = f"{source.id}@{choose(source.path).sha256[:16]}"
    assert read_toml(run.config).values["engine"]["init_from"] == pinned
    again = toy_run(tmp_path, layer=dict(read_toml(run.config).values))
    assert outcome(again) == outcome(run)


def test_the_new_run_works_when_the_old_is_gone(tmp_path: Path, source: RunFolder) -> None:
    whole = toy_run(tmp_path, init_from=source.id, epochs=2)
    run = toy_run(tmp_path, init_from=source.id, epochs=2)
    shutil.rmtree(source.path)
    shutil.rmtree(run.checkpoints)
    run.checkpoints.mkdir()
    finish(toy_resume(run))  # from step 0, which is the copied weights
    assert outcome(run) == outcome(whole)
    shutil.rmtree(run.checkpoints)
    run.init.unlink()
    with pytest.raises(RunError, match=r"init\.safetensors, the weights that it starts from, is missing"):
        toy_resume(run)


def test_weights_of_another_shape_are_refused(tmp_path: Path, source: RunFolder) -> None:
    with pytest.raises(UsageError, match=r"engine\.init_from: its weights do not fit this model: first\.weight"):
        toy_attempt(tmp_path, layer={"model": {"name": "mlp"}}, plugins=("extras",), init_from=source.id)
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_tied_weights_are_taken_once(tmp_path: Path) -> None:
    tied = {"model": {"name": "mlp", "tied": True}}
    source = finish(toy_attempt(tmp_path, layer=tied, plugins=("extras",)))
    model = toy_attempt(tmp_path, layer=tied, plugins=("extras",), init_from=source.id).job.trainer.model
    taken = tensors_of(choose(source.path), "model.safetensors")
    assert torch.equal(model.get_parameter("third.weight"), taken["second.weight"])
    with pytest.raises(UsageError, match=r"do not fit this model: third\.weight"):
        toy_attempt(tmp_path, layer={"model": {"name": "mlp"}}, plugins=("extras",), init_from=source.id)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nothing", "no run 'nothing'"),
        ("last@7", "no checkpoint '7' in .*: give best, last or one of the steps 6, 18"),
        ("last@0123456789abcdef", "has no checkpoint any more with the weights 0123456789abcdef"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, source: RunFolder, reference: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        toy_attempt(tmp_path, init_from=reference)


def test_damaged_weights_are_not_taken(tmp_path: Path, source: RunFolder) -> None:
    path = choose(source.path).folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DlkitError, match=r"engine\.init_from: .* cannot be used: model\.safetensors was altered"):
        toy_attempt(tmp_path, init_from=source.id)
    assert len(tensors_of(choose(source.path), "model.safetensors")) == 2, "altered, but still a tensor file"
