"""Parts of models and losses that never change, and losses that learn."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dlkit.data.context import Context
from dlkit.engine import loop
from dlkit.engine.checkpoint import evaluated_weights, load_state, tensors_of
from dlkit.engine.distributed import World
from dlkit.engine.summary import model_summary
from dlkit.engine.tensor_files import read_tensors
from dlkit.errors import RunError
from dlkit.events import Started
from dlkit.nn.frozen import freeze, frozen_names
from dlkit.present.events import describe_start
from dlkit.runs.checkpoints import FROZEN, choose, complete
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import read_events
from dlkit.testing.seats import seated
from dlkit.use.load import evaluate_run, load_predictor
from headed_parts import Headed, HeadedConfig
from outcome import close_at, finished, outcome
from toy import finish, toy_attempt, toy_catalog, toy_resume

PLUGINS = ("headed",)


def headed(workspace: Path, loss: str = "uncertain", touched: int = 0, **engine: Any) -> Any:
    components = {"model": {"name": "headed", "touched": touched}, "loss": {"name": loss}}
    return toy_attempt(workspace, "", components, PLUGINS, **{"seed": 3, **engine})


def backbone(tensors: dict[str, torch.Tensor]) -> set[str]:
    return {name for name in tensors if "backbone" in name}


def test_names_of_what_is_frozen_include_buffers_and_every_name_of_what_is_shared() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    model.add_module("again", freeze(model[1]))
    assert frozen_names(model) == {name for name in model.state_dict() if not name.startswith("0.")}
    assert not model[1].training and model[0].training
    assert frozen_names(freeze(torch.nn.Linear(1, 1))) == {"weight", "bias"}


def test_frozen_parts_are_stored_once_and_named_by_their_hash(tmp_path: Path) -> None:
    # So many steps that a writer which a busy disk holds up comes to several all the same.
    run = finish(headed(tmp_path, eval_every="3 steps", keep=9, checkpoint_every=1e-6, epochs=40))
    checkpoints = complete(run.path)
    assert len(checkpoints) > 2
    frozen = load_file(run.path / FROZEN)
    assert backbone(frozen) and any(name.startswith("loss/scale") for name in frozen)
    for checkpoint in checkpoints:
        assert checkpoint.manifest.frozen == checkpoints[0].manifest.frozen and not checkpoint.problems()
        assert not backbone(tensors_of(checkpoint, "model.safetensors"))
        assert "scale.weight" not in load_state(checkpoint)["loss"]
        assert backbone(evaluated_weights(checkpoint))
    assert not list(run.path.glob(".frozen*"))


@pytest.mark.parametrize("engine", [{}, {"ema": 0.9}, {"accumulate": 2, "clip": 1.0}])
@pytest.mark.parametrize("optimizer", ["sgd", "muon"])
def test_a_resume_is_exact(
    tmp_path: Path, engine: dict[str, Any], optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    options = {**engine, "steps": 12}

    def attempt() -> Any:
        layer = {
            "model": {"name": "headed"},
            "loss": {"name": "uncertain"},
            "trainer": {"optimizer": optimizer, "weight_decay": 0.1, "lr": 0.01},
        }
        return toy_attempt(tmp_path, "", layer, PLUGINS, **options)

    whole, cut = finish(attempt()), close_at(attempt(), 5)
    assert choose(cut.path, "last").step < 12
    shutil.move(cut.path, tmp_path / "runs" / "moved")  # a run's folder is all that there is of it
    again = finish(toy_resume(RunFolder(tmp_path / "runs" / "moved"), PLUGINS))
    assert outcome(again) == outcome(whole)
    assert (again.path / FROZEN).read_bytes() == (whole.path / FROZEN).read_bytes()
    first, last = (load_state(choose(whole.path, which))["loss"] for which in ("best", "last"))
    assert last["log_variance"] != initial_variance(), "the loss learns"
    assert last["seen"] > 0 and first.keys() == last.keys()


def initial_variance() -> torch.Tensor:
    from dlkit.data.randomness import forked
    from headed_parts import Uncertain

    with forked(0, "loss"):
        return Uncertain().log_variance.detach()


def test_the_average_optimizers_and_the_norm_leave_them_alone(tmp_path: Path) -> None:
    trainer = headed(tmp_path, ema=0.9).job.trainer
    assert not backbone(dict(trainer.averaged()))
    frozen = {id(p) for p in trainer.model.backbone.parameters()}
    assert frozen.isdisjoint(map(id, trainer.parameters))
    assert any(p is trainer.setup.loss.log_variance for p in trainer.parameters)


def test_it_predicts_evaluates_and_is_started_from(tmp_path: Path) -> None:
    run = finish(headed(tmp_path))
    loaded = load_predictor(toy_catalog(*PLUGINS), run)
    frozen = load_file(run.path / FROZEN)
    found: Any = loaded.predictor.model
    assert torch.equal(found.backbone[0].weight, frozen["model/backbone.0.weight"])
    catalog, context = toy_catalog(*PLUGINS), Context(tmp_path / "data")
    loss = evaluate_run(catalog, run, context, split="val", which="last")["metrics"]["val/loss"]
    assert loss == pytest.approx(finished(run).metrics["val/loss"], rel=1e-6)
    # Another seed: the frozen part of the new run is that of the old one, not what the seed would draw.
    second = finish(headed(tmp_path, seed=9, init_from=run.id))
    assert read_tensors(second.path, FROZEN)["model/backbone.0.weight"].equal(frozen["model/backbone.0.weight"])


def test_a_checkpoint_is_whole_only_with_it(tmp_path: Path) -> None:
    run = finish(headed(tmp_path))
    kept = (run.path / FROZEN).read_bytes()
    (run.path / FROZEN).write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(RunError, match=r"frozen\.safetensors was altered"):
        load_predictor(toy_catalog(*PLUGINS), run)
    (run.path / FROZEN).unlink()
    with pytest.raises(RunError, match=r"frozen\.safetensors is missing"):
        load_predictor(toy_catalog(*PLUGINS), run)
    with pytest.raises(RunError, match="no checkpoint can be used"):
        toy_resume(run, PLUGINS, steps=99)


def test_releases_that_know_nothing_of_it_see_a_newer_format(tmp_path: Path) -> None:
    formats = [
        json.loads((choose(run.path, "last").folder / "manifest.json").read_text())
        for run in (finish(headed(tmp_path)), finish(toy_attempt(tmp_path)))
    ]
    assert [manifest["format"] for manifest in formats] == [2, 1]
    assert ["frozen" in manifest for manifest in formats] == [True, False]


def test_whoever_changes_a_frozen_part_is_told(tmp_path: Path) -> None:
    run = finish(headed(tmp_path, touched=2))
    assert run.read()["state"] == "failed"
    assert "model: backbone.0.weight is frozen, and has been changed by training" in finished(run).reason


def test_the_summary_says_how_many_there_are(tmp_path: Path) -> None:
    summary, _ = model_summary(Headed(3, HeadedConfig(width=8)), (torch.zeros(2, 3),))
    assert (summary["parameters"], summary["frozen"], summary["trainable"]) == (57, 48, 9)
    events = read_events(finish(headed(tmp_path)).events)
    assert isinstance(events[0], Started)
    assert "57 parameters, 48 of them frozen" in describe_start(events[0].summary)


def test_two_processes_learn_a_loss_as_one_does(tmp_path: Path) -> None:
    job = headed(tmp_path).job
    batch = job.data.train.take(torch.arange(16))
    halves = [{name: column[half] for name, column in batch.items()} for half in (slice(0, 8), slice(8, 16))]
    copies = [copy.deepcopy((job.trainer.model, job.trainer.setup.loss)) for _ in range(3)]

    def learned(number: int, batch: dict[str, torch.Tensor], world: World) -> torch.Tensor:
        model, loss = copies[number]
        trainer = type(job.trainer)(replace(job.trainer.setup, model=model, loss=loss, world=world))
        trainer.shares = [1.0]
        trainer.step([batch], 0)
        return loss.log_variance.detach()

    alone = learned(2, batch, World())
    found = seated(2, lambda world: learned(world.rank, halves[world.rank], world))
    assert found[0] == found[1] == pytest.approx(float(alone), rel=1e-6)
    assert alone != job.trainer.setup.loss.log_variance
