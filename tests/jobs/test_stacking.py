"""Jobs of one word in the queue: trained as one by the first's process, each once, whoever is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.events import Notice
from dlkit.jobs.detach import start_worker
from dlkit.jobs.job_record import Submission, job_of
from dlkit.jobs.queue import cancel, wake
from dlkit.jobs.stacking import waiting
from dlkit.jobs.submit import resubmit, submit
from dlkit.jobs.worker import NOT_STARTED
from dlkit.runs import commands
from dlkit.runs.folder import RunFolder, current_state, summarise
from dlkit.runs.log import read_events
from outcome import finished, outcome
from queues import Quick, starts
from stacks import apart
from waiting import LONG, until
from workers import ENGINE, work

WORD = "study-1"


def handed_in(workspace: Path, launcher: Quick, word: str = WORD, **own: Any) -> RunFolder:
    catalog = Catalog.load_everything()
    engine = {**ENGINE, "seed": own.pop("seed", 0), "epochs": own.pop("epochs", 4)}
    layer = {"launcher": launcher, "trainer": {"lr": own.pop("lr", 0.02)}, "engine": engine, **own}
    return submit(catalog, resolve(catalog, "toy", [Layer("test", layer)]), workspace, Submission(True, stack=word))


def output(run: RunFolder) -> str:
    return run.output.read_text() if run.output.exists() else ""


def test_one_process_trains_all_that_wait_with_its_word(workspace: Path, quick: Quick) -> None:
    runs = [handed_in(workspace, quick, lr=0.01 * k, seed=k % 2) for k in (1, 2, 3)]
    other, unlike = handed_in(workspace, quick, word="another"), handed_in(workspace, quick, epochs=5)
    assert [run.id for run in waiting(workspace, WORD)] == [run.id for run in (*runs, unlike)]
    assert work(runs[0]) == 0
    assert [current_state(run, run.read()) for run in runs] == ["completed"] * 3
    assert f"{unlike.id} is not trained as one with these: engine.epochs is 4 and 5" in output(runs[0])
    assert {current_state(run, run.read()) for run in (other, unlike)} <= {"queued", "running", "completed"}
    for k, run in enumerate(runs, 1):
        alone = handed_in(workspace, quick, word="", lr=0.01 * k, seed=k % 2)
        assert work(alone) in (0, NOT_STARTED), "a scheduler, which a job that ends has started, may come before"
        until(lambda: current_state(alone, alone.read()) == "completed")  # noqa: B023  # asked before the next one
        assert apart(run, alone) < 1e-5
        texts = [event.text for event in read_events(run.events) if isinstance(event, Notice)]
        assert "trained as one with 2 other runs" in texts


def test_the_scheduler_starts_each_once(workspace: Path, quick: Quick) -> None:
    runs = [handed_in(workspace, quick, lr=0.01 * k) for k in range(1, 7)]
    cancel(runs[3])
    wake(workspace)
    until(lambda: all(current_state(run, run.read()) in ("completed", "stopped") for run in runs))
    assert [finished(run).status for run in runs] == ["completed"] * 3 + ["stopped"] + ["completed"] * 2
    assert [starts(run) for run in runs] == [1, 1, 1, 0, 1, 1]


def test_what_cannot_be_one_is_trained_alone_and_says_why(workspace: Path, quick: Quick) -> None:
    runs = [handed_in(workspace, quick, model={"name": "mlp"}, seed=k) for k in (1, 2)]
    assert work(runs[0]) == 0
    assert "trained alone: these runs cannot be trained as one: layer norm is a batch norm" in output(runs[0])
    assert current_state(runs[0], runs[0].read()) == "completed"
    assert starts(runs[1]) <= 1, "it waits on for a worker of its own, which a job that ends has started"


@pytest.mark.slow
def test_killed_in_the_middle_all_go_on_as_one(workspace: Path, quick: Quick) -> None:
    runs = [handed_in(workspace, quick, lr=0.002 * k, epochs=400) for k in (1, 2, 3)]
    worker = start_worker(runs[0])
    until(lambda: all(summarise(run).step > 100 for run in runs))
    os.kill(int(runs[0].read()["pid"]), signal.SIGKILL)
    worker.wait(LONG)
    until(lambda: all(current_state(run, run.read()) == "interrupted" for run in runs))
    for run in runs:
        resubmit(Catalog.load_everything(), run, Submission(True, stack=WORD))
    assert work(runs[0]) == 0
    for run in runs:
        assert finished(run).status == "completed"
        assert len([n for n in read_events(run.events) if n.event == "resumed"]) == 1
    again = [handed_in(workspace, quick, lr=0.002 * k, epochs=400, word="undisturbed") for k in (1, 2, 3)]
    assert work(again[0]) == 0
    for run, other in zip(runs, again, strict=True):
        assert outcome(run) == outcome(other)


@pytest.mark.parametrize("signalled", [False, True])
def test_a_person_stops_one_and_a_signal_all(workspace: Path, quick: Quick, signalled: bool) -> None:
    runs = [handed_in(workspace, quick, lr=0.002 * k, epochs=20_000) for k in (1, 2)]
    worker = start_worker(runs[0])
    until(lambda: all(summarise(run).step > 0 for run in runs))
    if signalled:
        worker.terminate()
    else:
        commands.append(runs[0].commands, "stop", by="a person")
        until(lambda: current_state(runs[0], runs[0].read()) == "stopped")
        assert current_state(runs[1], runs[1].read()) == "running"
        commands.append(runs[1].commands, "stop", by="a person")
    worker.wait(LONG)
    assert [finished(run).status for run in runs] == ["stopped", "stopped"]
    assert job_of(runs[1].read())["stack"] == WORD
