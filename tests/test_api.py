"""The Python interface: what the command line does, as functions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import dlkit
from dlkit.api import Short
from dlkit.catalog import Catalog
from dlkit.config import SHORT_FLAGS
from dlkit.errors import DlkitError, PluginError, RunError, UsageError
from dlkit.events import Event, Finished, MetricsLogged, Resumed, Started
from recorded import record_run
from toy import toy_catalog


@pytest.fixture(autouse=True)
def toy_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy task is all that is installed."""
    monkeypatch.setattr(Catalog, "load_everything", lambda **chosen: toy_catalog("extras"))


@pytest.fixture
def run(tmp_path: Path) -> dlkit.Run:
    return dlkit.train("toy", workspace=tmp_path, device="cpu", epochs=2)


def test_training_returns_the_finished_run(tmp_path: Path) -> None:
    seen: list[Event] = []
    model = {"name": "linear", "dropout": 0.0}
    run = dlkit.train(
        "toy",
        dataset="plane",
        model=model,
        epochs=3,
        lr=0.1,
        engine={"device": "cpu", "ema": 0.5},
        name="mine",
        workspace=tmp_path,
        on_event=seen.append,
    )
    assert isinstance(seen[0], Started)
    assert isinstance(seen[-1], Finished)
    assert (run.state, run.id, run.path.parent) == ("completed", seen[-1].run, tmp_path / "runs")
    assert run.summary.name == "mine"
    assert "lr = 0.1" in (run.path / "config.toml").read_text()
    assert "ema = 0.5" in (run.path / "config.toml").read_text()
    assert repr(run) == f"<Run {run.id}: completed>"


def test_metrics_and_their_history(run: dlkit.Run) -> None:
    steps, losses = run.history("train/loss")
    assert steps == list(range(1, 13))
    assert all(loss > 0 for loss in losses)
    steps, values = run.history("val/mse")
    assert steps == [6, 12]
    assert run.metrics["val/mse"] == min(values)
    with pytest.raises(
        UsageError, match=r"has no metric 'train/los': did you mean 'train/loss'\? There are: .*val/mse"
    ):
        run.history("train/los")


def test_a_metric_of_a_run_that_goes_may_still_come(tmp_path: Path) -> None:
    assert dlkit.Run(record_run(tmp_path, state="queued")).history("val/later") == ([], [])


def test_what_a_run_holds(run: dlkit.Run) -> None:
    assert run.config["engine"]["epochs"] == 2
    assert [checkpoint["step"] for checkpoint in run.checkpoints][-1] == 12
    assert sum(checkpoint["best"] for checkpoint in run.checkpoints) == 1
    assert run.evaluations == []
    metrics = run.evaluate()
    assert [(record["split"], record["metrics"]) for record in run.evaluations] == [("test", metrics)]
    assert run.wait() is run


def test_a_run_is_opened_again(run: dlkit.Run, tmp_path: Path) -> None:
    named = dlkit.train("toy", workspace=tmp_path, device="cpu", epochs=1, name="short one")
    for reference in (run.id, run.path, str(run.path)):
        assert dlkit.open_run(reference, tmp_path).id == run.id
    assert dlkit.open_run("last", tmp_path).id == dlkit.open_run("short one", tmp_path).id == named.id
    with pytest.raises(UsageError, match="no run 'nothing'"):
        dlkit.open_run("nothing", tmp_path)


def test_a_run_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    waiting = dlkit.Run(record_run(tmp_path, state="queued"))
    with pytest.raises(TimeoutError, match=f"{waiting.id} is queued after 0.05 s"):
        waiting.wait(0.05)


def test_every_short_flag_is_a_keyword() -> None:
    assert set(Short.__annotations__) == set(SHORT_FLAGS)


def test_a_run_is_asked_and_measured(run: dlkit.Run) -> None:
    (answer,) = run.predictor().predict([[1.0, 0.0, 0.0]])
    assert answer["y"] == pytest.approx(1.25, abs=1.0)
    found = run.evaluate()
    assert set(found) == {"test/loss", "test/mse"}
    assert run.evaluate("val", "last")["val/mse"] == pytest.approx(run.history("val/mse")[1][-1], rel=1e-5)
    assert (run.path / "evaluations.jsonl").read_text().count("\n") == 2
    with pytest.raises(UsageError, match="no split 'tset' in dataset 'plane': did you mean 'test'"):
        run.evaluate("tset")
    with pytest.raises(UsageError, match="no checkpoint 'first'"):
        run.predictor("first")


def test_a_completed_run_goes_on(run: dlkit.Run) -> None:
    seen: list[Event] = []
    again = run.resume(epochs=4, on_event=seen.append)
    assert isinstance(seen[0], Resumed)
    assert (again.id, again.summary.step) == (run.id, 24)
    assert run.history("train/loss")[0] == list(range(1, 25))
    with pytest.raises(UsageError, match="is complete at step 24 of 24"):
        run.resume()


def test_a_run_is_proved_from_python(tmp_path: Path) -> None:
    run = dlkit.train(
        "toy",
        epochs=2,
        engine={"threads": 1, "device": "cpu", "checkpoint_every": 0.001, "keep": 20},
        workspace=tmp_path,
    )
    seen: list[Event] = []
    found = run.reproduce(on_event=seen.append)
    assert found.equal and found.weights and found.run in {one.id for one in dlkit.list_runs(tmp_path)}
    assert any(isinstance(event, MetricsLogged) for event in seen)
    first = run.checkpoints[0]["step"]
    part = run.reproduce(begin=first, until=run.checkpoints[1]["step"])
    assert part.equal and part.begin == first
    with pytest.raises(UsageError, match="nothing to train again"):
        run.reproduce(begin="last")

    def leave(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.reproduce(on_event=leave)


def test_runs_are_listed_newest_first(tmp_path: Path, run: dlkit.Run) -> None:
    second = dlkit.train("toy", workspace=tmp_path, device="cpu", epochs=1)
    assert {found.id for found in dlkit.list_runs(tmp_path)} == {run.id, second.id}
    assert dlkit.list_runs(tmp_path)[0].summary.created >= dlkit.list_runs(tmp_path)[1].summary.created
    assert [found.id for found in dlkit.list_runs(tmp_path, "toy")] == [found.id for found in dlkit.list_runs(tmp_path)]
    assert dlkit.list_runs(tmp_path, "other") == []
    assert dlkit.list_runs(tmp_path / "absent") == []
    assert not (tmp_path / "absent").exists()


def test_the_workspace_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLKIT_WORKSPACE", str(tmp_path / "mine"))
    run = dlkit.train("toy", device="cpu", epochs=1)
    assert run.path.parent == tmp_path / "mine" / "runs"
    assert [found.id for found in dlkit.list_runs()] == [run.id]


def test_a_stored_configuration_trains_again(tmp_path: Path, run: dlkit.Run) -> None:
    again = dlkit.train("toy", config=run.path / "config.toml", workspace=tmp_path)
    assert again.history("train/loss") == run.history("train/loss")
    third = dlkit.train("toy", config={"engine": {"device": "cpu", "epochs": 2}}, workspace=tmp_path)
    assert third.history("train/loss") == run.history("train/loss")
    fourth = dlkit.train("toy", config=str(run.path / "config.toml"), epochs=1, workspace=tmp_path)
    assert fourth.history("train/loss")[0] == list(range(1, 7))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epoch": 3}, "unknown argument 'epoch': did you mean 'epochs'"),
        ({"lr": -1}, r"trainer\.lr = -1 \(from argument\): must be a number above 0"),
        ({"model": "liner"}, "no model 'liner' for task 'toy': did you mean 'linear'"),
        ({"model": {"dropot": 0.5}}, r"unknown option model\.dropot .*did you mean 'dropout'"),
        ({"engine": {"epochs": 3}, "steps": 5}, r"give either engine\.epochs or engine\.steps, not both"),
        ({"preset": "quick"}, "no preset 'quick' for task 'toy'"),
        ({"config": "absent.toml"}, r"no configuration file absent\.toml"),
    ],
)
def test_wrong_arguments_are_named(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        dlkit.train("toy", workspace=tmp_path, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_task_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no task 'toi': did you mean 'toy'"):
        dlkit.train("toi", workspace=tmp_path)


def test_a_run_that_fails_raises_and_stays_readable(tmp_path: Path) -> None:
    loss = {"name": "troubled", "raise_at": 8}
    with pytest.raises(RunError, match=r"ArithmeticError: call 8; last good checkpoint: step 6\n(?s:.*)extras_parts"):
        dlkit.train("toy", loss=loss, workspace=tmp_path, device="cpu")
    (run,) = dlkit.list_runs(tmp_path)
    assert run.state == "failed"
    assert run.history("train/loss")[0] == list(range(1, 8))
    assert run.resume(epochs=2).state == "completed"


def test_an_error_of_the_watcher_stops_the_run(tmp_path: Path) -> None:
    def watch(event: Event) -> None:
        if not isinstance(event, Started):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        dlkit.train("toy", workspace=tmp_path, device="cpu", on_event=watch)
    (run,) = dlkit.list_runs(tmp_path)
    assert run.state == "stopped", "though its frames live as long as the traceback does"
    assert caught.traceback
    assert run.resume().state == "completed"


def test_what_a_plugin_breaks_is_the_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: dlkit.Run) -> None:
    monkeypatch.setattr(Catalog, "load_everything", lambda **chosen: Catalog([]))
    with pytest.raises(DlkitError) as caught:
        run.predictor()
    assert isinstance(caught.value, PluginError)
    assert "needs dataset 'plane' of plugin 'toy', which is not installed" in str(caught.value)
    assert run.metrics["val/mse"] > 0, "the run stays readable"


def test_errors_are_there_without_another_import() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import dlkit; print(dlkit.errors.UsageError.exit_code, dlkit.errors.DlkitError.kind)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "2 error\n"


def test_groups_from_python(tmp_path: Path) -> None:
    runs = [
        dlkit.train("toy", workspace=tmp_path, device="cpu", epochs=1, lr=lr, seed=seed)
        for lr in (0.01, 0.1)
        for seed in (0, 1)
    ]
    found = dlkit.compare(runs, ["lr"])
    assert [group.settings["trainer.lr"] for group in found.groups] == [0.1, 0.01] and found.best in found.groups[
        0
    ].runs
    best = found.groups[0].metrics[found.metric]
    values = [run.metrics[found.metric] for run in runs[2:]]
    assert best.n == 2 and best.mean == pytest.approx(sum(values) / 2)
    assert best.half == pytest.approx(12.7062 * abs(values[0] - values[1]) / 2, rel=1e-4)


def test_a_predictor_is_called_with_what_a_program_has(run: dlkit.Run) -> None:
    predictor = run.predictor()
    assert predictor("1,2,3") == predictor((1.0, 2.0, 3.0)) == predictor.predict([[1.0, 2.0, 3.0]])


def test_a_folder_is_loaded_to_be_asked(run: dlkit.Run, tmp_path: Path) -> None:
    assert dlkit.load(run.path)("1,2,3") == run.predictor()("1,2,3")
    first = run.checkpoints[0]["step"]
    checkpoint = run.path / "checkpoints" / f"step-{first:08d}"
    assert dlkit.load(str(checkpoint))("1,2,3") == run.predictor(str(first))("1,2,3")
    with pytest.raises(UsageError, match="neither a run's folder nor one of its checkpoints"):
        dlkit.load(tmp_path)
