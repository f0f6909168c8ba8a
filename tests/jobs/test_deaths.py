"""Processes of a job that die or run out of memory: what becomes of it, and how it goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tomllib
from pathlib import Path
from typing import Any

import pytest

import workers
from dlkit.cli.main import main
from dlkit.errors import STOPPED
from dlkit.events import Finished, Resumed, Retried
from dlkit.jobs.detach import start_worker
from dlkit.jobs.queue import log_of
from dlkit.runs import commands
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import holder
from kills import RECIPES, Outcome, check, outcome
from toy import finish, toy_attempt
from workers import ENDLESS, all_events, begun, kill, make_job, state, until, work

Quick = dict[str, str]
TOY = RECIPES["toy"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What the toy recipe gives in one go, in this process."""
    layer = {key: value for key, value in TOY.items() if key not in ("task", "engine")}
    attempt = toy_attempt(tmp_path_factory.mktemp("undisturbed"), layer=layer, plugins=("extras",), **TOY["engine"])
    return outcome(finish(attempt))


def troubled(**how: Any) -> dict[str, Any]:
    return {"loss": {"name": "troubled", "wait": 0.005, **how}}


def test_the_training_process_is_killed(
    workspace: Path, quick: Quick, undisturbed: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_job(workspace, {**TOY, "launcher": quick})
    worker = start_worker(run)
    until(lambda: complete(run.path))
    kill(workers.trainer_of(run))
    assert worker.wait(workers.PATIENCE) == 1
    assert state(run) == "interrupted"
    assert run.read()["reason"] == "its process was ended by SIGKILL"
    assert not [event for event in all_events(run) if isinstance(event, Finished)]
    main(["show", run.id, "--workspace", str(workspace)])
    shown = capsys.readouterr().out
    assert "interrupted: its process was ended by SIGKILL" in shown
    assert f"checkpoints/step-{choose(run.path, 'last').step:08d}" in shown
    main(["runs", "--json", "--workspace", str(workspace)])
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["state"], listed["step"]) == ("interrupted", workers.step(run))
    assert workers.go_on(run) == 0
    check(run, undisturbed)


def test_the_supervisor_is_killed(workspace: Path, plugins: None) -> None:
    """Its process does not outlive it, though nobody tells it anything."""
    run, worker = begun(workspace, troubled(), **ENDLESS)
    process = workers.trainer_of(run)
    worker.kill()
    worker.wait()
    until(lambda: not workers.alive(process) and holder(run.lock) is None)
    assert state(run) == "interrupted"


def test_a_run_whose_supervisor_was_killed_goes_on_exactly(workspace: Path, quick: Quick, undisturbed: Outcome) -> None:
    run = make_job(workspace, {**TOY, "launcher": quick})
    worker = start_worker(run)
    until(lambda: complete(run.path))
    worker.kill()
    worker.wait()
    until(lambda: holder(run.lock) is None)
    assert workers.go_on(run) == 0
    check(run, undisturbed)


def test_a_crash_says_which(workspace: Path, plugins: None) -> None:
    run = make_job(workspace, troubled(abort_at=4))
    assert work(run) == 1
    assert state(run) == "failed"
    assert run.read()["reason"] == "its process crashed (SIGABRT): output.log has the details"
    assert "Fatal Python error: Aborted" in run.output.read_text()
    assert "extras_parts.py" in run.output.read_text()


def test_a_component_that_exits(workspace: Path, quick: Quick) -> None:
    run = make_job(workspace, {"launcher": quick, **troubled(exit_at=4)})
    assert work(run) == 1
    end = workers.events_of(run, Finished)[-1]
    assert (state(run), end.status) == ("failed", "failed")
    assert run.read()["reason"] == end.reason
    assert end.reason.startswith("SystemExit: 3; ")
    assert "break_at" in end.traceback


class TestRestarts:
    def test_two_kills_and_two_restarts(self, workspace: Path, quick: Quick, undisturbed: Outcome) -> None:
        run = make_job(workspace, {**TOY, "launcher": quick, "job": {"max_restarts": 2}})
        worker = start_worker(run)
        for attempt in range(2):
            until(lambda attempt=attempt: began_again(run) == attempt and goes_on(run))
            kill(workers.trainer_of(run))
        assert worker.wait(workers.PATIENCE) == 0
        check(run, undisturbed)
        retried = [event for event in all_events(run) if isinstance(event, Retried)]
        assert [(e.attempt, e.of, dict(e.settings)) for e in retried] == [(1, 2, {}), (2, 2, {})]
        assert {event.reason for event in retried} == {"its process was ended by SIGKILL"}
        assert (state(run), run.read()["reason"]) == ("completed", "")

    def test_one_that_died_instead_of_stopping_is_not_restarted(self, workspace: Path, quick: Quick) -> None:
        run = make_job(workspace, {"launcher": quick, **troubled(), "job": {"max_restarts": 5}}, **ENDLESS)
        worker = start_worker(run)
        until(lambda: goes_on(run))
        process = workers.trainer_of(run)
        os.kill(process, signal.SIGSTOP)
        commands.append(run.commands, "stop", by="somebody")
        kill(process)
        assert worker.wait(workers.PATIENCE) == STOPPED
        reason = "stopped by somebody; its process was ended by SIGKILL"
        assert (state(run), run.read()["reason"]) == ("stopped", reason)
        assert not any(isinstance(event, Retried) for event in all_events(run))

    def test_one_kill_too_many(self, workspace: Path, quick: Quick) -> None:
        run = make_job(workspace, {"launcher": quick, **troubled(), "job": {"max_restarts": 1}}, **ENDLESS)
        worker = start_worker(run)
        for attempt in range(2):
            until(lambda attempt=attempt: began_again(run) == attempt and goes_on(run))
            kill(workers.trainer_of(run))
        assert worker.wait(workers.PATIENCE) == 1
        assert (state(run), run.read()["reason"]) == ("interrupted", "its process was ended by SIGKILL")

    def test_an_error_that_comes_back(self, workspace: Path, quick: Quick) -> None:
        run = make_job(workspace, {"launcher": quick, **troubled(raise_at=3), "job": {"max_restarts": 2}})
        assert work(run) == 1
        retried = [event for event in all_events(run) if isinstance(event, Retried)]
        assert [event.attempt for event in retried] == [1, 2]
        assert all(event.reason.startswith("ArithmeticError: call 3; ") for event in retried)
        assert state(run) == "failed"
        assert "ArithmeticError" in workers.events_of(run, Finished)[-1].traceback

    def test_what_cannot_help_is_not_tried(self, workspace: Path, quick: Quick, tmp_path: Path) -> None:
        dataset = {"name": "files", "path": str(tmp_path / "none.csv")}
        layer = {"task": "regression", "dataset": dataset, "launcher": quick, "job": {"max_restarts": 5}}
        run = make_job(workspace, layer)
        assert work(run) == 3
        assert not [event for event in all_events(run) if isinstance(event, Retried)]

    def test_a_stop_is_no_reason_to_start_again(self, workspace: Path, quick: Quick) -> None:
        run, worker = begun(
            workspace, {"launcher": quick, **troubled(wait=30), "job": {"max_restarts": 5}}, **ENDLESS, first=0
        )
        worker.send_signal(signal.SIGTERM)
        until(lambda: run.commands.exists())
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(workers.PATIENCE) == STOPPED
        assert state(run) == "stopped"
        assert not [event for event in all_events(run) if isinstance(event, Retried)]


def began_again(run: RunFolder) -> int:
    return sum(isinstance(event, Resumed) for event in all_events(run))


def goes_on(run: RunFolder) -> bool:
    """Whether the attempt that is at work has checkpointed."""
    raw = run.events.read_bytes().splitlines() if run.events.exists() else []
    kinds = [json.loads(line)["event"] for line in raw if line.endswith(b"}")]
    begin = max((i for i, kind in enumerate(kinds) if kind in ("started", "resumed")), default=len(kinds))
    return "checkpoint" in kinds[begin:]


class TestOutOfMemory:
    """The error is the allocator's own: the loss asks for more than there is."""

    def halving(self, quick: Quick, **how: Any) -> dict[str, Any]:
        return {"launcher": quick, **troubled(**how), "job": {"on_oom": "halve"}}

    def test_without_a_retry_it_says_what_to_do(self, workspace: Path, quick: Quick) -> None:
        run = make_job(workspace, {"launcher": quick, **troubled(scarce=1)})
        assert work(run) == 1
        assert state(run) == "failed"
        assert run.read()["reason"].startswith("out of memory on ")
        assert "try a smaller --batch-size, --accumulate, or --on-oom halve" in run.read()["reason"]

    @pytest.mark.parametrize("first", [1, 15])
    def test_half_the_batch(self, workspace: Path, quick: Quick, first: int) -> None:
        """Before the first step, and in the middle."""
        run = make_job(workspace, self.halving(quick, scarce=16, scarce_from=first), batch_size=16)
        assert work(run) == 0
        (retried,) = [event for event in all_events(run) if isinstance(event, Retried)]
        changed = {"batch_size": 8, "accumulate": 2, "eval_batch_size": 250}
        assert retried.settings == {f"engine.{key}": value for key, value in changed.items()}
        assert retried.reason.startswith("out of memory")
        assert engine_of(run).items() >= changed.items()
        (resumed,) = workers.events_of(run, Resumed)
        assert not resumed.exact
        assert resumed.differences == [
            "out of memory: engine.batch_size = 8, engine.accumulate = 2, engine.eval_batch_size = 250"
        ]
        end = workers.events_of(run, Finished)[-1]
        assert (end.status, end.steps) == ("completed", 4 * 6)
        assert (first == 1) == (resumed.from_step == 0)

    @pytest.mark.slow
    def test_again_and_again(self, workspace: Path, quick: Quick) -> None:
        run = make_job(workspace, self.halving(quick, scarce=3), batch_size=16, accumulate=2)
        assert work(run) == 0
        retried = [event for event in all_events(run) if isinstance(event, Retried)]
        sizes = [(e.settings["engine.batch_size"], e.settings["engine.accumulate"]) for e in retried]
        assert sizes == [(8, 4), (4, 8), (2, 16)]
        assert engine_of(run).items() >= {"batch_size": 2, "accumulate": 16, "eval_batch_size": 62}.items()
        assert workers.events_of(run, Finished)[-1].steps == 4 * 3

    @pytest.mark.slow
    def test_an_odd_batch(self, workspace: Path, quick: Quick) -> None:
        """It is cut into its smallest number of equal parts, so that a step sees as many samples as before."""
        run = make_job(workspace, self.halving(quick, scarce=6), batch_size=15)
        assert work(run) == 0
        assert engine_of(run).items() >= {"batch_size": 5, "accumulate": 3}.items()
        assert workers.events_of(run, Finished)[-1].steps == 4 * 6

    def test_limits_count_the_same_samples(self, workspace: Path, quick: Quick) -> None:
        run = make_job(workspace, self.halving(quick, scarce=16), batch_size=16, limit_batches=3)
        assert work(run) == 0
        assert engine_of(run)["limit_batches"] == 6
        assert workers.events_of(run, Finished)[-1].steps == 4 * 3

    def test_a_batch_of_one(self, workspace: Path, quick: Quick) -> None:
        run = make_job(workspace, self.halving(quick, scarce=1), batch_size=2)
        assert work(run) == 1
        assert (state(run), engine_of(run)["batch_size"]) == ("failed", 1)
        assert run.read()["reason"].startswith("out of memory on ")
        assert len([event for event in all_events(run) if isinstance(event, Retried)]) == 1

    @pytest.mark.slow
    def test_a_killed_attempt_after_it_keeps_the_smaller_batch(self, workspace: Path, quick: Quick) -> None:
        run = make_job(workspace, self.halving(quick, scarce=16), batch_size=16, epochs=60)
        worker = start_worker(run)
        until(lambda: complete(run.path))
        kill(workers.trainer_of(run))
        assert worker.wait(workers.PATIENCE) == 1
        assert state(run) == "interrupted"
        assert workers.go_on(run) == 0
        assert engine_of(run).items() >= {"batch_size": 8, "accumulate": 2}.items()
        assert len([event for event in all_events(run) if isinstance(event, Retried)]) == 1
        assert workers.events_of(run, Finished)[-1].steps == 60 * 6


def engine_of(run: RunFolder) -> dict[str, Any]:
    return tomllib.loads(run.config.read_text())["engine"]


def test_a_run_that_is_removed_while_it_goes_ends_its_job(workspace: Path, quick: Quick) -> None:
    """Nobody is left to write for; the workspace's log has the last word."""
    run, worker = begun(workspace, {**troubled(), "launcher": quick}, **ENDLESS)
    rank = workers.trainer_of(run)
    run.path.rename(workspace / "removed")
    shutil.rmtree(workspace / "removed", ignore_errors=True)
    assert worker.wait(workers.PATIENCE) == 1
    until(lambda: not workers.alive(rank))
    assert f"{run.id}: removed while its job was going" in log_of(workspace).read_text()
    assert list((workspace / "runs").iterdir()) == []
