"""What an answer that does not look at its input comes to: measured once, beside the first evaluation, and harmless."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.engine.start import start
from dlkit.runs.checkpoints import complete
from dlkit.runs.log import read_events
from small import small
from toy import finish, toy_attempt, toy_resume, toy_run
from toy_options import ToyTask

MODELS = {
    "autoencoder": "linear", "classification": "perceptron", "conjugation": "perceptron", "detection": "grid-lenet",
    "embeddings": "cbow", "localization": "lenet", "points": "perceptron", "regression": "mlp", "textgen": "gru",
    "translation": "recurrent",
}  # fmt: skip


def test_it_is_what_the_metrics_give_for_the_mean(tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path, epochs=2)
    train, val = (split.columns["y"] for split in (attempt.job.data.train, attempt.job.data.val))  # type: ignore[attr-defined]
    run = finish(attempt)
    expected = (val - train.mean()).square().mean().item()
    assert run.read()["baseline"] == pytest.approx({"val/loss": expected, "val/mse": expected}, rel=1e-5)


def test_it_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    constant = ToyTask.constant
    monkeypatch.setattr(ToyTask, "constant", lambda self, *given: asked.append(1) or constant(self, *given))
    run = toy_run(tmp_path, epochs=3)
    finish(toy_resume(run, epochs=5))
    assert len(asked) == 1


def test_no_bit_depends_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = {"model": {"dropout": 0.5}}
    with_it = toy_run(tmp_path, layer=layer)
    monkeypatch.setattr(ToyTask, "constant", lambda self, info, train: None)
    without = toy_run(tmp_path, layer=layer)
    assert "baseline" not in without.read()
    assert complete(with_it.path)[-1].sha256 == complete(without.path)[-1].sha256


@pytest.mark.parametrize("where", ["made", "asked"])
def test_a_task_whose_constant_fails_trains_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def fails(*_: object) -> object:
        raise ZeroDivisionError("no mean")

    def drawing(self: ToyTask, info: object, train: object) -> object:
        torch.rand(3)
        return fails() if where == "made" else fails

    monkeypatch.setattr(ToyTask, "constant", drawing)
    run = toy_run(tmp_path)
    told = [event.text for event in read_events(run.events) if event.event == "notice"]  # type: ignore[attr-defined]
    assert run.read()["state"] == "completed" and "baseline" not in run.read()
    assert told == ["task 'toy': its constant answer cannot be measured: ZeroDivisionError: no mean"]


@pytest.mark.parametrize("task", MODELS)
def test_every_task_that_has_one_says_it(task: str, tmp_path: Path) -> None:
    catalog = Catalog.load_everything()
    names = {model.name for model in catalog.specs("model", task)}
    model = MODELS[task] if MODELS[task] in names else sorted(names)[0]
    engine = {"epochs": None, "steps": 1, "device": "cpu"}
    resolved = resolve(catalog, task, [Layer("test", small(task, model, **engine))])
    found = finish(start(catalog, resolved, tmp_path, make_context(catalog, tmp_path))).read()
    assert found["metric"] in found["baseline"]
