"""A run of no steps is a run; and what a run can do before its first step is measured where that is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlkit.data.context import Context
from dlkit.engine import loop
from dlkit.errors import SettingError, UsageError
from dlkit.events import Checkpointed, Finished, MetricsLogged, Sampled, Started
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.log import history, read_events
from dlkit.use.load import evaluate_run, load_predictor
from outcome import close_at, finished, outcome, values_of
from toy import finish, toy_attempt, toy_catalog, toy_resume, toy_run

EXTRAS = ("extras",)
ALONE: dict[str, Any] = {"layer": {"model": {"name": "sum"}}, "plugins": EXTRAS, "steps": 0}


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)


def kinds(run: RunFolder) -> list[type]:
    return [type(event) for event in read_events(run.events)]


def test_it_evaluates_samples_writes_a_checkpoint_and_is_completed(tmp_path: Path) -> None:
    run = toy_run(tmp_path, steps=0)
    assert [k for k in kinds(run) if k in (Started, MetricsLogged, Sampled, Checkpointed, Finished)] == [
        Started, MetricsLogged, Sampled, Checkpointed, Finished
    ]  # fmt: skip
    end, summary = finished(run), summarise(run)
    assert (end.status, end.steps, summary.state, summary.step, summary.total_steps) == (
        "completed",
        0,
        "completed",
        0,
        0,
    )
    assert history(read_events(run.events), "val/mse") == ([0], [summary.best])
    (checkpoint,) = complete(run.path)
    assert checkpoint.step == 0 and checkpoint.manifest.best and checkpoint.manifest.metrics["val/mse"] == summary.best
    assert [path.name for path in run.samples.iterdir()] == ["step-00000000-rows.json"]


def test_its_model_is_the_one_that_a_longer_run_begins_with(tmp_path: Path) -> None:
    none, some = toy_run(tmp_path, steps=0), toy_run(tmp_path, eval_first=True)
    baseline = values_of(none)["val/mse", 0]
    assert values_of(some)["val/mse", 0] == baseline > values_of(some)["val/mse", 18]
    assert outcome(finish(toy_resume(none, steps=18))) == outcome(toy_run(tmp_path, steps=18))


@pytest.mark.parametrize("cadence", ["3 steps", "2 epochs", "end"])
def test_what_is_due_at_the_end_is_due_at_once(tmp_path: Path, cadence: str) -> None:
    run = toy_run(tmp_path, steps=0, eval_every=cadence, sample_every=cadence)
    assert {MetricsLogged, Sampled} <= set(kinds(run))


def test_never_is_never_even_then(tmp_path: Path) -> None:
    run = toy_run(tmp_path, steps=0, eval_every="never", sample_every="never")
    assert not {MetricsLogged, Sampled} & set(kinds(run)) and choose(run.path, "last").step == 0


def test_it_can_be_measured_and_asked(tmp_path: Path) -> None:
    run, catalog = toy_run(tmp_path, steps=0), toy_catalog()
    assert (
        evaluate_run(catalog, run, Context(tmp_path / "data"), split="val")["metrics"]["val/mse"] == summarise(run).best
    )
    assert load_predictor(catalog, run).predictor.predict([[0.0, 0.0, 0.0]])


def test_it_is_complete_and_goes_on_if_asked_to(tmp_path: Path) -> None:
    run = toy_run(tmp_path, steps=0)
    with pytest.raises(UsageError, match="complete at step 0 of 0: give --epochs or --steps"):
        toy_resume(run)
    assert finished(finish(toy_resume(run, epochs=1))).steps == 6


def test_a_model_without_parameters_is_evaluated_and_stored(tmp_path: Path) -> None:
    run = toy_run(tmp_path, **ALONE)
    assert finished(run).status == "completed" and summarise(run).best is not None
    (answer,) = load_predictor(toy_catalog(*EXTRAS), run).predictor.predict([[1.0, 2.0, 4.0]])
    assert answer == {"y": 7.0}


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
def test_a_model_without_parameters_cannot_be_trained(tmp_path: Path, optimizer: str) -> None:
    layer = {**ALONE["layer"], "trainer": {"optimizer": optimizer}}
    with pytest.raises(UsageError, match="no parameters to train: --steps 0"):
        toy_attempt(tmp_path, layer=layer, plugins=EXTRAS)
    assert not (tmp_path / "runs").exists(), "nothing is left behind"


def test_fewer_than_no_steps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"engine\.steps = -1"):
        toy_attempt(tmp_path, steps=-1)


def test_the_baseline_is_measured_once_however_often_the_run_is_left(tmp_path: Path, every_step: None) -> None:
    whole = toy_run(tmp_path, eval_first=True)
    run = close_at(toy_attempt(tmp_path, eval_first=True), 3)
    assert history(read_events(run.events), "val/mse")[0] == [0]
    finish(toy_resume(run))
    assert (outcome(run), values_of(run)) == (outcome(whole), values_of(whole))


@pytest.mark.parametrize("steps", [0, 18])
def test_a_run_that_begins_again_measures_its_baseline_again(tmp_path: Path, every_step: None, steps: int) -> None:
    """Its checkpoints are gone: nothing that it measured holds, and nothing stands in its log twice."""
    whole = toy_run(tmp_path, eval_first=True, steps=steps)
    run = close_at(toy_attempt(tmp_path, eval_first=True, steps=steps), 0)
    for checkpoint in complete(run.path):
        (checkpoint.folder / "manifest.json").unlink()
    record = json.loads(run.record.read_text())
    run.record.write_text(json.dumps({**record, "state": "interrupted"}))
    finish(toy_resume(run))
    assert (outcome(run), values_of(run)) == (outcome(whole), values_of(whole))


def test_left_between_its_evaluation_and_its_samples_it_makes_up_for_them(tmp_path: Path, every_step: None) -> None:
    run = close_at(toy_attempt(tmp_path, steps=0), 0)
    assert finished(run).status == "completed", "closed by its consumer, it does what is left"
    assert {Sampled, Checkpointed} <= set(kinds(run))


def test_a_run_whose_time_is_up_before_its_first_step_measures_nothing_then(tmp_path: Path) -> None:
    """Its baseline would be among the best of what a resume goes on with."""
    run = toy_run(tmp_path, max_time=1e-6)
    assert finished(run).steps == 0 and MetricsLogged not in kinds(run)
    whole = toy_run(tmp_path)
    finish(toy_resume(run, max_time=None))
    assert (outcome(run), values_of(run)) == (outcome(whole), values_of(whole))


def test_a_baseline_that_nothing_beats_stays_the_best(tmp_path: Path) -> None:
    far = {"trainer": {"lr": 100.0, "optimizer": "sgd"}}
    run = toy_run(tmp_path, layer=far, eval_first=True, steps=1)
    assert choose(run.path, "best").step == 0 and choose(run.path, "last").step == 1
    assert finished(run).metrics["val/mse"] == values_of(run)["val/mse", 0]
