"""A study from its question to its answer, through the real queue: once each, whatever is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from asked import asked, runs_of
from dlkit.interpreter import python
from dlkit.jobs import detach
from dlkit.jobs.queue import scheduler
from dlkit.jobs.service.memory import remembered
from dlkit.runs.faults import STUDIES
from dlkit.runs.folder import RunFolder, current_state
from dlkit.runs.lock import RunLock
from dlkit.studies import log
from dlkit.studies.driver import TRIES, Driver
from dlkit.studies.folder import StudyFolder, driver
from dlkit.studies.results import Look
from dlkit.studies.state import state_of
from dlkit.studies.waking import wake
from jobsite import end_processes
from kills import fault, outcome
from waiting import LONG, until

Quick = dict[str, str]


def drive(study: StudyFolder) -> None:
    """To the end, in this process."""
    Driver(study).serve()


def finish(study: StudyFolder) -> None:
    """By processes of its own, started again whenever one has died; none while one is on its way to the lock."""

    def ended() -> bool:
        if not any(process.poll() is None for process in detach._started):
            wake(study)
        return bool(state_of(study).finished)

    until(ended, "it did not end", every=0.05)
    until(lambda: driver(study) is None)


def states(study: StudyFolder) -> list[str]:
    return [trial.state for trial in state_of(study).trials.values()]


def test_every_setting_with_every_seed(workspace: Path, quick: Quick) -> None:
    study = asked(workspace, "lr=0.02,0.05", seeds=2, layer={"launcher": quick}, test=True)
    drive(study)
    state, runs = state_of(study), runs_of(study)
    assert states(study) == ["completed"] * 4 and state.finished == "all trials have ended"
    assert [(t.setting, t.seed) for t in state.trials.values()] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    for trial, run in zip(state.trials.values(), runs, strict=True):
        record = run.read()
        assert (record["study"], record["trial"], record["seed"]) == (study.id, trial.number, trial.seed)
        assert record["name"] == f"{study.short}-{trial.number}" and record["job"]["queued"] is True
        assert trial.parameters == 4 and trial.steps == 12 and trial.best == trial.metrics["val/mse"]
    (look,) = state.tested
    assert not look.problem and look.looked_before == 0 and set(look.metrics) <= {run.id for run in runs}
    assert all("test/mse" in metrics for metrics in look.metrics.values())
    before = study.log.read_bytes()
    drive(study)
    assert study.log.read_bytes() == before, "there is nothing left to do"


@pytest.mark.parametrize("label", STUDIES)
@pytest.mark.parametrize("count", [1, 3])
def test_a_driver_that_is_killed_makes_every_trial_once(workspace: Path, quick: Quick, label: str, count: int) -> None:
    study = asked(workspace, "lr=0.02,0.05", seeds=2, layer={"launcher": quick})
    with fault(label, count):
        assert wake(study)
        until(lambda: driver(study) is not None or state_of(study).trials)
        until(lambda: driver(study) is None, "it did not die")
    assert len(state_of(study).trials) == count, "it died there"
    finish(study)
    assert states(study) == ["completed"] * 4
    assert len(list((workspace / "runs").iterdir())) == 4, "no trial twice"


def test_stopped_and_resumed(workspace: Path, quick: Quick) -> None:
    """What runs is stopped and goes on from its checkpoint; what waits is taken out; what has ended stays."""
    slow = {"launcher": quick, "loss": {"name": "troubled", "wait": 0.02}}
    study = asked(workspace, "lr=0.02,0.05", layer={**slow, "engine": {"epochs": 6}})
    assert wake(study)
    until(lambda: any(s.step for s in Look(study).results().live.values()))
    log.append(study.log, "stop", by="test")
    until(lambda: Look(study).results().state == "stopped")
    until(lambda: set(states(study)) <= {"stopped", "completed"})
    assert not any(current_state(run, run.read()) in ("queued", "running") for run in runs_of(study))
    assert not wake(study), "nobody starts it by himself"
    stopped = [t for t in state_of(study).trials.values() if t.state == "stopped"]
    lines = [log.encode("reopened", {"trial": trial.number}) for trial in stopped]
    log.append_lines(study.log, [log.encode("resume", {"by": "test"}), *lines])
    finish(study)
    assert states(study) == ["completed"] * 2
    plain = asked(workspace, "lr=0.02,0.05", layer={**slow, "engine": {"epochs": 6}})
    drive(plain)
    assert [outcome(run) for run in runs_of(study)] == [outcome(run) for run in runs_of(plain)]


def test_a_trial_that_fails_leaves_the_others(workspace: Path, quick: Quick) -> None:
    study = asked(workspace, "loss.nan_at=0,3", layer={"launcher": quick, "loss": {"name": "troubled"}}, seeds=2)
    drive(study)
    assert states(study) == ["completed", "failed", "completed", "failed"]
    found = Look(study).results()
    assert found.failed == 2 and [row.standing for row in found.rows] == ["leader", "failed"]


def test_finished_runs_are_taken_where_that_is_asked_for(workspace: Path, quick: Quick) -> None:
    first = asked(workspace, "lr=0.02,0.05", layer={"launcher": quick})
    drive(first)
    second = asked(workspace, "lr=0.05,0.07", layer={"launcher": quick}, needed=True)
    drive(second)
    trials = list(state_of(second).trials.values())
    assert [trial.reused for trial in trials] == [True, False]
    assert trials[0].run == runs_of(first)[1].id and trials[0].best is not None
    assert len(list((workspace / "runs").iterdir())) == 3
    third = asked(workspace, "lr=0.05", layer={"launcher": quick}, needed=False)
    drive(third)
    assert not state_of(third).trials[0].reused


def test_when_its_time_is_up_no_more_are_started(workspace: Path, quick: Quick) -> None:
    study = asked(workspace, "lr=0.01,0.02,0.03,0.04", seeds=5, layer={"launcher": quick}, max_time=0.001, parallel=1)
    drive(study)
    state = state_of(study)
    assert state.finished == "its time is up" and len(state.trials) == 1 and states(study) == ["completed"]


def test_a_study_has_one_driver(workspace: Path, quick: Quick) -> None:
    study = asked(workspace, "lr=0.02,0.05", layer={"launcher": quick})
    with RunLock(study.lock), pytest.raises(BlockingIOError):
        drive(study)


def test_a_study_goes_on_after_a_power_cut(workspace: Path, quick: Quick) -> None:
    """Driver, scheduler and workers are gone at once; what the system starts at boot is all that comes."""
    layer = {"launcher": quick, "loss": {"name": "troubled", "wait": 0.02}}
    study = asked(workspace, "lr=0.01,0.03", seeds=2, layer=layer)
    service = python("dlkit.jobs.service", str(workspace))
    with subprocess.Popen(service, stdin=subprocess.DEVNULL) as served:
        until(lambda: remembered(workspace).going)  # it has woken the study
        served.kill()
    for process in _processes(study):
        if process:
            _kill(process)
    until(lambda: driver(study) is None)
    with subprocess.Popen(service, stdin=subprocess.DEVNULL) as served:
        until(lambda: state_of(study).finished)
        served.terminate()
        assert served.wait(LONG) == 0
    assert states(study) == ["completed"] * 4 and len(list((workspace / "runs").iterdir())) == 4


@pytest.mark.slow
def test_kills_of_driver_scheduler_and_workers_change_nothing(workspace: Path, quick: Quick) -> None:
    """60 at random instants: every trial once, and what comes of it as if nothing had happened."""
    layer = {"launcher": quick, "loss": {"name": "troubled", "wait": 0.004}, "model": {"name": "mlp", "dropout": 0.2},
             "engine": {"epochs": 12, "eval_every": "5 steps"}}  # fmt: skip
    calm = asked(workspace / "calm", "lr=0.01,0.03", seeds=4, layer=layer)
    drive(calm)
    wanted, verdict = [outcome(run) for run in runs_of(calm)], Look(calm).results().verdict
    rng, kills = random.Random(3), 0
    while kills < KILLS:  # a study may end before so many were killed: then the next one is attacked
        study = asked(workspace / f"attacked-{kills}", "lr=0.01,0.03", seeds=4, layer=layer, parallel=3)
        kills += _attacked(study, rng, KILLS - kills)
        assert states(study) == ["completed"] * 8, (kills, [run.read().get("result") for run in runs_of(study)])
        assert len(list((study.workspace / "runs").iterdir())) == 8, "every trial once"
        assert [outcome(run) for run in runs_of(study)] == wanted
        assert Look(study).results().verdict == verdict
    assert kills == KILLS


KILLS = 60


def _attacked(study: StudyFolder, rng: random.Random, most: int) -> int:
    """Have it done, and kill one of its processes at random instants; how many were."""
    kills, deadline = 0, time.monotonic() + LONG
    while not state_of(study).finished:
        assert time.monotonic() < deadline, (kills, states(study))
        wake(study)
        time.sleep(rng.uniform(0.02, 0.25))
        process = rng.choice(_processes(study)) if kills < most else None
        if process:
            kills += _kill(process)
    until(lambda: driver(study) is None)
    end_processes(study.workspace)
    return kills


def _processes(study: StudyFolder) -> list[int | None]:
    """Driver, scheduler, and what supervises and trains."""
    found: list[int | None] = [driver(study), scheduler(study.workspace)]
    for trial in state_of(study).open:
        if trial.tries >= TRIES - 1:  # once more without a step, and it is given up, as it should be
            continue
        run = RunFolder(study.workspace / "runs" / trial.run)
        if run.path.is_dir() and current_state(run, record := run.read()) == "running":
            found += [record.get("worker"), record.get("pid")]
    return found


def _kill(process: int) -> bool:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
