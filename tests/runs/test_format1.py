"""A run that the first release wrote (see make_format1.py) can be listed, shown, gone on with and asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dlkit.data.context import Context
from dlkit.runs.checkpoints import choose
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import list_runs
from dlkit.runs.log import history, read_events
from dlkit.use.load import evaluate_run, load_predictor
from outcome import finished, values_of
from toy import finish, toy_catalog, toy_resume

(KEPT,) = (Path(__file__).parent / "format1").iterdir()


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A copy of it in a workspace."""
    shutil.copytree(KEPT, tmp_path / "runs" / KEPT.name)
    return find_run(tmp_path, "last")


def test_it_is_listed(tmp_path: Path, run: RunFolder) -> None:
    (summary,) = list_runs(tmp_path)
    assert (summary.id, summary.name, summary.state, summary.task) == (KEPT.name, "kept", "completed", "toy")
    assert (summary.model, summary.dataset, summary.step, summary.total_steps) == ("linear", "plane", 12, 12)
    assert summary.best == summary.metrics["val/mse"] == pytest.approx(0.0686249, abs=1e-6)


def test_its_events_are_read(run: RunFolder) -> None:
    events = read_events(run.events)
    assert {event.event for event in events} == {"started", "metrics", "samples", "checkpoint", "finished"}
    steps, values = history(events, "val/mse")
    assert (steps, values[-1]) == ([6, 12], finished(run).metrics["val/mse"])
    assert history(events, "train/loss")[0] == list(range(1, 13))
    assert all((run.path / sample.file).exists() for event in events for sample in getattr(event, "samples", ()))


def test_its_model_is_asked(run: RunFolder) -> None:
    loaded = load_predictor(toy_catalog(), run)
    assert (loaded.checkpoint.step, loaded.checkpoint.problems()) == (12, [])
    (answer,) = loaded.predictor.predict([[1.0, -1.0, 2.0]])
    assert answer["y"] == pytest.approx(3.825477, abs=1e-5)


def test_its_model_is_measured(tmp_path: Path, run: RunFolder) -> None:
    found = evaluate_run(toy_catalog(), run, Context(tmp_path / "data"), split="val", device="cpu")
    assert found["metrics"]["val/mse"] == pytest.approx(finished(run).metrics["val/mse"], rel=1e-5)
    assert run.evaluations.read_text().count("\n") == 1


def test_it_goes_on(run: RunFolder) -> None:
    """Exactly, with the torch that made it; with another, if that is allowed."""
    before = values_of(run)
    finish(toy_resume(run, epochs=4, allow_inexact=True))
    after = values_of(run)
    assert finished(run).steps == choose(run.path, "last").step == 24
    assert {key: after[key] for key in before} == before
    assert [step for name, step in after if name == "train/loss"] == list(range(1, 25))
