"""Each run of a stack is a run: it may diverge, stop, end early, be asked, and go on alone."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dlkit.data.context import Context
from dlkit.engine.signals import StopSignals
from dlkit.engine.stacked.starting import resume_stack
from dlkit.events import Commanded, MetricsLogged
from dlkit.runs import commands
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.lock import holder
from dlkit.runs.log import read_events
from outcome import finished, outcome, values_of
from stacks import Settings, alone, catalog, configured, stacked, trained, weights_of
from toy import finish, toy_resume

ENGINE: Settings = {"engine.eval_every": "5 steps", "engine.epochs": 4, "trainer.momentum": 0.9}
DOUBLE: dict[str, Any] = {"task": "toy64"}
PLUGINS = ("stackable", "extras")


def settings(*own: Settings, **common: Any) -> list[Settings]:
    return [{**ENGINE, **common, **one} for one in own]


def test_each_ends_as_a_run_of_its_own(tmp_path: Path) -> None:
    made = configured(*settings({"engine.seed": 1}, {"engine.seed": 2}, **{"engine.sample_every": "end"}))
    runs = trained(stacked(tmp_path / "stack", made))
    for run, resolved in zip(runs, made, strict=True):
        other = alone(tmp_path / "alone", resolved)
        summary, theirs = summarise(run), summarise(other)
        assert (summary.state, summary.step, summary.total_steps) == (theirs.state, theirs.step, theirs.total_steps)
        assert (summary.seed, summary.metrics.keys()) == (theirs.seed, theirs.metrics.keys())
        assert run.config.read_bytes() == other.config.read_bytes()
        assert sorted(p.name for p in run.path.iterdir()) == sorted(p.name for p in other.path.iterdir())
        assert sorted(p.name for p in run.samples.iterdir()) == sorted(p.name for p in other.samples.iterdir())
        assert choose(run.path).step == choose(other.path).step, "the best one is of the same step"
        assert holder(run.lock) is None
        assert {name for name in run.read() if name != "mark"} == {name for name in other.read() if name != "mark"}


def test_one_that_diverges_harms_no_other(tmp_path: Path) -> None:
    made = configured(*settings({"trainer.lr": 0.02}, {"trainer.lr": 1e6}, {"trainer.lr": 0.03}), task="toy64")
    first, broken, last = trained(stacked(tmp_path / "stack", made))
    assert finished(broken).status == "failed"
    assert "became" in finished(broken).reason
    assert not complete(broken.path) or all(w.isfinite().all() for w in weights_of(broken).values())
    for run, resolved in ((first, made[0]), (last, made[2])):
        assert outcome(run) == outcome(alone(tmp_path / "alone", resolved))


def test_rows_leave_when_they_get_no_better(tmp_path: Path) -> None:
    own = [{"trainer.lr": 0.05, "engine.early_stopping": 2}, {"trainer.lr": 1e-5}, {"trainer.lr": 0.002}]
    made = configured(*settings(*own, **{"engine.epochs": 40}), task="toy64")
    runs = trained(stacked(tmp_path / "stack", made))
    assert "early stopping" in finished(runs[0]).reason
    assert summarise(runs[0]).step < summarise(runs[1]).step == 240
    for run, resolved in zip(runs, made, strict=True):
        assert outcome(run) == outcome(alone(tmp_path / "alone", resolved))


def test_one_is_stopped_and_goes_on_alone(tmp_path: Path) -> None:
    made = configured(*settings({"engine.seed": 1}, {"engine.seed": 2}, **{"engine.epochs": 30}), task="toy64")
    training = stacked(tmp_path / "stack", made)
    first, second = training.runs
    for run, event in training.events():
        if run == first and isinstance(event, MetricsLogged) and event.last_step == 10:
            if not first.commands.exists():
                commands.append(first.commands, "pause")
                commands.append(first.commands, "stop", by="a test")
    assert (finished(first).status, finished(first).reason) == ("stopped", "stopped by a test")
    told = [event.refused for event in read_events(first.events) if isinstance(event, Commanded)]
    assert told == ["it is trained as one with others, which would wait too: stop it, and resume it alone", ""]
    assert finished(second).status == "completed"
    finish(toy_resume(first, plugins=PLUGINS))
    for run, resolved in zip((first, second), made, strict=True):
        other = alone(tmp_path / "alone", resolved)
        assert outcome(run) == outcome(other)
        assert values_of(run) == values_of(other)


def test_a_rate_is_changed_for_one_row(tmp_path: Path) -> None:
    made = configured(*settings({"engine.seed": 1}, {"engine.seed": 1}, **{"engine.epochs": 10}), task="toy64")
    training = stacked(tmp_path / "stack", made)
    first, second = training.runs
    for run, event in training.events():
        if run == first and isinstance(event, MetricsLogged) and event.last_step == 10 and not first.commands.exists():
            commands.append(first.commands, "set", "trainer.lr", 1e-4)
    changed, *again = [event for event in read_events(first.events) if isinstance(event, Commanded)]
    assert not again, "a line of metrics may come twice: it is asked for once"
    assert not changed.refused
    assert 10 <= changed.step < 60
    assert outcome(second) == outcome(alone(tmp_path / "alone", made[1]))
    lr = {step: value for (name, step), value in values_of(first).items() if name == "lr"}
    assert [value for step, value in sorted(lr.items())] == [
        1e-4 if step > changed.step else 0.05 for step in sorted(lr)
    ]


def test_who_listens_leaves_and_all_go_on_later(tmp_path: Path) -> None:
    made = configured(*settings({"engine.seed": 1}, {"engine.seed": 2}, {"engine.seed": 3}), task="toy64")
    training = stacked(tmp_path / "stack", made)
    with closing(training.events()) as events:
        for run, event in events:
            if run == training.runs[1] and isinstance(event, MetricsLogged) and event.last_step >= 10:
                break
    assert {summarise(run).state for run in training.runs} == {"stopped"}
    assert {"closed by its consumer"} == {finished(run).reason for run in training.runs}
    goes_on_to_the_same(tmp_path, training.runs, made)


def test_a_signal_stops_all(tmp_path: Path) -> None:
    made = configured(*settings({"engine.seed": 1}, {"engine.seed": 2}), task="toy64")
    training, signals = stacked(tmp_path / "stack", made), StopSignals()
    for _, event in training.events(signals):
        if isinstance(event, MetricsLogged) and event.last_step == 10:
            signals.asked = "a test"
    assert {finished(run).reason for run in training.runs} == {"a test"}
    assert len({summarise(run).step for run in training.runs}) == 1
    goes_on_to_the_same(tmp_path, training.runs, made)


def goes_on_to_the_same(where: Path, runs: list[RunFolder], made: list[Any]) -> None:
    context = Context(where / "stack" / "data")
    for _ in resume_stack(catalog(), runs, context).events():
        pass
    for run, resolved in zip(runs, made, strict=True):
        other = alone(where / "alone", resolved)
        assert outcome(run) == outcome(other)
        assert values_of(run) == values_of(other)


def test_rows_of_other_steps_meet(tmp_path: Path) -> None:
    made = configured(*settings({"engine.seed": 1}, {"engine.seed": 2}, {"engine.seed": 3}), task="toy64")
    training = stacked(tmp_path / "stack", made)
    for run, event in training.events():
        number = training.runs.index(run)
        if number < 2 and isinstance(event, MetricsLogged) and event.last_step == (5, 10)[number]:
            commands.append(run.commands, "stop")
    unfinished = training.runs[:2]
    assert len({summarise(run).step for run in unfinished}) == 2
    goes_on_to_the_same(tmp_path, unfinished, made[:2])


def test_an_error_of_the_stack_is_every_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = stacked(tmp_path, configured(*settings({"engine.seed": 1}, {"engine.seed": 2})))

    def broken(*_: object) -> None:
        raise MemoryError("cannot allocate memory")

    monkeypatch.setattr("dlkit.engine.stacked.rules.Together.update", broken)
    runs = trained(training)
    assert {finished(run).status for run in runs} == {"failed"}
    assert all("out of memory" in finished(run).reason for run in runs)


def test_checkpoints_by_the_clock_are_of_one_step(tmp_path: Path) -> None:
    own = settings({"engine.seed": 1}, {"engine.seed": 2}, **{"engine.epochs": 30, "engine.checkpoint_every": 0.01})
    runs = trained(stacked(tmp_path, configured(*own, **{"task": "toy64"})))
    steps = [{event.step for event in read_events(run.events) if event.event == "checkpoint"} for run in runs]
    assert len(steps[0]) > 2
    assert all(math.isfinite(step) for step in steps[0] | steps[1])
