"""Studies in the interface: what they say, their trials, and what can be asked of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from asked import asked, recorded
from dlkit.monitor import studies
from dlkit.monitor.means import BUT_SEED
from dlkit.monitor.studies import Studies
from dlkit.runs.folder import RunFolder
from dlkit.studies import log
from dlkit.studies.folder import StudyFolder
from dlkit.studies.results import Look, best_so_far
from dlkit.studies.state import state_of
from dlkit.studies.waking import run_of
from dlkit.tui.app import DlkitApp
from dlkit.tui.compare.screen import CompareScreen
from recorded import record_run
from screens import notices, opened, press, shown, until

pytestmark = pytest.mark.usefixtures("toy_installed")


@pytest.fixture(autouse=True)
def asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """No driver starts: what is asked for is on record, and another test's affair is what comes of it."""
    monkeypatch.setattr(studies, "wake", lambda *_: False)


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    """Two settings with three seeds, of which one seed's runs are there."""
    found = asked(tmp_path, "lr=0.1,0.2", seeds=3)
    recorded(found, {(s, seed): seed + (0.0 if s else 10.0) + seed * s / 100 for s in (0, 1) for seed in range(3)})
    for number, trial in enumerate(sorted(Look(found).results().rows[0].trials, key=lambda t: t.seed)):
        record_run(tmp_path, number).path.rename(tmp_path / "runs" / trial.run)
    return found


async def test_from_the_list_to_a_trial_s_run(study: StudyFolder, tmp_path: Path) -> None:
    async with opened(tmp_path, (120, 35)) as (app, pilot):
        await press(pilot, "5")
        await until(pilot, lambda: study.short in shown(app))
        assert "6/6" in shown(app) and "trainer.lr 0.2 is the best so far" in shown(app)
        await press(pilot, "enter")
        await until(pilot, lambda: "best so far" in shown(app) and "seed" in shown(app))
        assert "trainer.lr" in shown(app) and "better than the other setting (95 %)" in shown(app)
        assert "best val/mse" in shown(app), "the picture has room"
        await press(pilot, "enter", "down", "enter")
        await until(pilot, lambda: "RunScreen" in type(app.screen).__name__)
        assert app.current_mode == "runs"
        await press(pilot, "5", "escape")
        assert type(app.screen).__name__ == "StudyScreen", "escape goes from the trials to the settings first"
        await press(pilot, "escape")
        assert type(app.screen).__name__ == "StudiesScreen"


async def test_settings_are_compared_by_their_runs(study: StudyFolder, tmp_path: Path) -> None:
    async with opened(tmp_path, (80, 24)) as (app, pilot):
        await press(pilot, "5")
        await until(pilot, lambda: study.short in shown(app))
        await press(pilot, "enter")
        await until(pilot, lambda: "undecided" in shown(app) or "best" in shown(app))
        await press(pilot, "v")
        await until(pilot, lambda: "val/mse by step, the mean of each setting" in shown(app))
        await press(pilot, "b", "down", "enter")
        await until(pilot, lambda: "the mean of each trainer.lr" in shown(app))
        await press(pilot, "escape", "down", "c")
        assert notices(app) == ["none of their runs is there"]
        await press(pilot, "up", "space", "down", "space", "c")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))
        assert isinstance(app.screen, CompareScreen) and app.screen.grouped_by == BUT_SEED, "settings have seeds"


async def test_more_seeds_stop_and_go_on(study: StudyFolder, tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "5")
        await until(pilot, lambda: study.short in shown(app))
        await press(pilot, "plus", "backspace", "2", "enter")
        await until(pilot, lambda: notices(app))
        assert notices(app) == [f"{study.id}: 2 more seeds for each setting"]
        assert state_of(study).seeds[0] == [0, 1, 2, 3, 4]
        await until(pilot, lambda: "6/10" in shown(app))
        await press(pilot, "x")
        await until(pilot, lambda: "Stop" in shown(app))
        await press(pilot, "y")
        await until(pilot, lambda: "stopped" in shown(app))
        assert state_of(study).stopped
        await press(pilot, "r")
        await until(pilot, lambda: not state_of(study).stopped)
        await press(pilot, "plus", "x", "enter")
        await until(pilot, lambda: "is no number of seeds" in notices(app)[-1])


async def test_one_trial_is_stopped_and_goes_on(study: StudyFolder, tmp_path: Path) -> None:
    """Where its table has the focus, keys are meant for it and not for the study."""
    trial = Look(study).results().rows[1].trials[0]
    log.append(study.log, "reopened", trial=trial.number)
    waits, run = record_run(tmp_path, 9, state="queued"), run_of(study, trial)
    waits.record.write_text(waits.record.read_text().replace(waits.id, run.id))
    waits.path.rename(run.path)
    async with opened(tmp_path, (160, 50)) as (app, pilot):
        await press(pilot, "5")
        await until(pilot, lambda: study.short in shown(app))
        await press(pilot, "enter", "down", "enter")
        await until(pilot, lambda: "reopened" in shown(app))
        assert "Pause" not in shown(app), "nothing runs"
        await press(pilot, "x")
        await until(pilot, lambda: any("taken out of the queue" in text for text in notices(app)))
        assert not state_of(study).stopped
        log.append(study.log, "ended", trial=trial.number, state="stopped", best=None, seconds=1.0, steps=3)
        await until(pilot, lambda: "stopped" in shown(app))
        await press(pilot, "r")
        await until(pilot, lambda: state_of(study).trials[trial.number].state == "reopened")
        assert [t.state for t in state_of(study).trials.values()].count("reopened") == 1


async def test_one_that_is_damaged_hides_no_other_and_goes(study: StudyFolder, tmp_path: Path) -> None:
    broken = asked(tmp_path, "lr=0.1,0.2")
    broken.question.write_text("format = ")
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "5")
        await until(pilot, lambda: "damaged" in shown(app))
        assert study.short in shown(app) and "2 studies" in shown(app)
        await _go_to(app, broken)
        await press(pilot, "D", "y")
        await until(pilot, lambda: "damaged" not in shown(app))
        assert not broken.path.exists() and study.path.is_dir()


async def _go_to(app: DlkitApp, study: StudyFolder) -> None:
    from dlkit.tui.shared.table import Table

    assert app.screen.query_one(Table).go_to(study.id)


def test_only_what_has_changed_is_told(study: StudyFolder, tmp_path: Path) -> None:
    look = Studies(tmp_path)
    (entry,) = look.poll() or ()
    assert entry.results is not None and entry.results.ended == 6
    log.append(study.log, "finished", reason="all trials have ended")
    assert look.poll() and look.poll() is None
    log.append(study.log, "stop", by="test")
    assert look.poll()


def test_the_best_so_far_is_a_staircase(study: StudyFolder) -> None:
    seconds, values = best_so_far(Look(study).results())
    assert len(seconds) == len(values) and values == sorted(values, reverse=True)
    assert seconds == sorted(seconds)


def test_a_thousand_trials_are_shown_at_once(tmp_path: Path) -> None:
    study = asked(tmp_path, "lr=log:1e-4..1", search="random", trials=250, seeds=4)
    recorded(study, {(s, seed): (s * 7919 % 251) + seed for s in range(250) for seed in range(4)})
    began = time.process_time()
    assert Studies(tmp_path).poll()
    assert time.process_time() - began < 3.0  # the figure is the benchmark's: here it must not be minutes


def test_runs_that_are_gone_are_left_out(study: StudyFolder, tmp_path: Path) -> None:
    found = Look(study).results()
    assert len(studies.runs_of(study, found.rows[:1])) == 3 and not studies.runs_of(study, found.rows[1:])
    assert isinstance(run_of(study, found.rows[0].trials[0]), RunFolder)
