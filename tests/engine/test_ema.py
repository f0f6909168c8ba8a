"""``engine.ema`` with every model that the plugins offer: it resumes to the bit, and predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlkit.catalog import Catalog, load_target
from dlkit.cli.main import main
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.engine import loop
from dlkit.engine.attempt import Attempt
from dlkit.engine.start import resume, start
from dlkit.engine.trainer import Trainer
from dlkit.runs.checkpoints import choose
from dlkit.runs.folder import RunFolder
from dlkit.use.load import load_predictor, validation_split
from outcome import close_at, outcome, values_of
from small import UNTRAINED, models, small
from toy import finish, toy_attempt, toy_resume

CATALOG = Catalog.load_everything()


def averaging() -> list[Any]:
    """(task, model) of those that have something to train, and whose trainer honours the option."""
    trained = [pair for pair in models(CATALOG) if pair not in UNTRAINED]
    return [(task, model) for task, model in trained if "ema" in trainer_of(task, model).supports]


def trainer_of(task: str, model: str) -> type[Trainer]:
    name = CATALOG.find("model", model, task).defaults.get("trainer") or CATALOG.task(task).defaults["trainer"]
    found: type[Trainer] = load_target(CATALOG.find("trainer", name, task), CATALOG)
    return found


def attempt(task: str, model: str, workspace: Path) -> Attempt:
    layer = small(task, model, ema=0.99, steps=8, eval_every="4 steps")
    resolved = resolve(CATALOG, task, [Layer("test", layer)])
    return start(CATALOG, resolved, workspace, make_context(CATALOG, workspace))


@pytest.mark.parametrize(("task", "model"), averaging())
def test_it_resumes_exactly_and_predicts(
    task: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)  # it can be left at any step
    monkeypatch.chdir(tmp_path)  # where pictures are written
    whole = finish(attempt(task, model, tmp_path))  # a value that is not finite would end it
    assert whole.read()["state"] == "completed", whole.read()
    cut = close_at(attempt(task, model, tmp_path), 5)
    assert choose(cut.path, "last").step < 8
    again = finish(resume(CATALOG, cut, make_context(CATALOG, tmp_path)))
    assert outcome(again) == outcome(whole)
    assert any(name.startswith("val/") for name, _ in values_of(whole))
    assert main(["predict", whole.id, *words(whole, tmp_path), "--workspace", str(tmp_path), "--json"]) == 0
    assert "nan" not in capsys.readouterr().out.lower()


def words(run: RunFolder, workspace: Path) -> list[str]:
    """What the model may be asked."""
    loaded = load_predictor(CATALOG, run)
    split = validation_split(CATALOG, loaded, make_context(CATALOG, workspace))
    return loaded.predictor.example(split, np.random.default_rng(0), workspace)[:1]


def test_a_configuration_without_the_ramp_goes_on_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was written when there was none: the run computes what it would have."""
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    whole = finish(toy_attempt(tmp_path, ema=0.9, ema_ramp=False))
    cut = close_at(toy_attempt(tmp_path, ema=0.9, ema_ramp=False), 7)
    lines = cut.config.read_text().splitlines(keepends=True)
    cut.config.write_text("".join(line for line in lines if not line.startswith("ema_ramp")))
    assert cut.config.read_text().count("\n") == len(lines) - 1
    assert outcome(finish(toy_resume(cut))) == outcome(whole)
    assert outcome(whole) != outcome(finish(toy_attempt(tmp_path, ema=0.9)))
