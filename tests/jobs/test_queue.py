"""What people do with the queue: putting jobs in, seeing why they wait, taking them out."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from dlkit.cli.main import main
from dlkit.events import Finished
from dlkit.jobs import scheduler as scheduling
from dlkit.jobs.claims import hold
from dlkit.jobs.queue import log_of, scheduler
from dlkit.jobs.queue_state import QueueState
from dlkit.runs import commands
from dlkit.runs.folder import RunFolder
from queues import Quick, assert_one_by_one, change_job, enqueue, entries, queue, span, starts, troubled
from workers import ENDLESS, events_of, state, step, until, until_step

Captured = pytest.CaptureFixture[str]
QUICK_TOY = ["toy", "--device", "cpu", "--engine.threads", "1", "--epochs", "1", "--launcher", "zygote"]


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler in this process ends as soon as it is idle."""
    monkeypatch.setattr(scheduling, "LINGER_SECONDS", 0.0)


def train(*words: str, workspace: Path) -> int:
    return main(["train", *QUICK_TOY, *words, "--workspace", str(workspace)])


def run_of(workspace: Path, output: str) -> RunFolder:
    """The run that ``--json`` told of."""
    told = json.loads(output)
    assert told["event"] == "submitted" and told["state"] in ("queued", "running", "completed")
    assert told["path"] == str(workspace / "runs" / told["run"])
    return RunFolder(workspace / "runs" / told["run"])


def test_train_queue_trains_when_this_process_is_done(workspace: Path, quick: Quick, capsys: Captured) -> None:
    assert train("--queue", "--json", workspace=workspace) == 0
    run = run_of(workspace, capsys.readouterr().out)
    until(lambda: state(run) == "completed")
    until(lambda: scheduler(workspace) is None, "a scheduler ends when it is idle")
    assert log_of(workspace).read_text().endswith("scheduler ends: nothing to start\n")
    assert run.read()["job"]["queued"] is True
    assert starts(run) == 1


def test_train_queue_says_why_it_waits_and_what_to_type_next(workspace: Path, quick: Quick, capsys: Captured) -> None:
    with hold(("cpu",), run="somebody", workspace=workspace):
        assert train("--queue", workspace=workspace) == 0
        out, err = capsys.readouterr()
        (run,) = entries(workspace)
    assert out == f"{run}\n"
    first, _, *following = err.splitlines()
    assert first == f"{run}: queued (cpu: 1 of 1 slot taken by somebody (process {os.getpid()}))"
    where = f"--workspace {workspace}"
    assert following == ["next:", f"  dlkit watch {run} {where}", f"  dlkit queue list {where}"]


def test_priority_then_age(workspace: Path, quick: Quick) -> None:
    priorities = (0, 5, 0, 5, -1)
    runs = [enqueue(workspace, {"launcher": quick}, priority=priority) for priority in priorities]
    assert queue("run", workspace=workspace) == 0
    assert_one_by_one([runs[i] for i in (1, 3, 0, 2, 4)])


def test_jobs_after_others(workspace: Path, quick: Quick, capsys: Captured) -> None:
    first = enqueue(workspace, {"launcher": quick})
    with hold(("cpu",), run="somebody", workspace=workspace):  # nothing starts before the chain is whole
        train("--queue", "--json", "--priority", "1", "--after", first.id, workspace=workspace)
        second = run_of(workspace, capsys.readouterr().out)
        words = ["--after", first.id, "--after", second.id, "--priority", "2"]
        train("--queue", "--json", *words, workspace=workspace)
        third = run_of(workspace, capsys.readouterr().out)
        assert entries(workspace)[third.id].why == f"after {first.id}, which is queued"
        assert entries(workspace)[third.id].after == (first.id, second.id)
    until(lambda: state(third) == "completed")
    assert_one_by_one([first, second, third])


def test_after_a_failed_job_that_is_resumed(workspace: Path, quick: Quick) -> None:
    failing = enqueue(workspace, troubled(quick, wait=0.05, raise_at=9), epochs=2)  # 12 steps; a resume does fewer
    waiting = enqueue(workspace, {"launcher": quick}, after=[failing])
    chained = enqueue(workspace, {"launcher": quick}, after=[waiting])
    assert queue("run", workspace=workspace) == 0, "it ends, although jobs wait"
    assert [state(run) for run in (failing, waiting, chained)] == ["failed", "queued", "queued"]
    there = entries(workspace)
    assert there[waiting.id].why == f"after {failing.id}, which is failed: until it is resumed and completed"
    assert there[chained.id].why == f"after {waiting.id}, which is queued"
    assert main(["resume", failing.id, "--queue", "--quiet", "--workspace", str(workspace)]) == 0
    until(lambda: state(chained) == "completed")
    assert span(waiting)[0] >= events_of(failing, Finished)[-1].time
    assert_one_by_one([waiting, chained])


def test_after_what_is_cancelled_or_gone(workspace: Path, quick: Quick) -> None:
    cancelled, gone = (enqueue(workspace, {"launcher": quick}) for _ in range(2))
    waiting = [enqueue(workspace, {"launcher": quick}, after=[run]) for run in (cancelled, gone)]
    assert queue("cancel", cancelled.id, workspace=workspace) == 0
    shutil.rmtree(gone.path)
    assert queue("run", workspace=workspace) == 0
    there = entries(workspace)
    assert [there[run.id].why for run in waiting] == [
        f"after {cancelled.id}, which is stopped: until it is resumed and completed",
        f"after {gone.id}, which is gone: it will never be completed",
    ]


def test_jobs_that_wait_for_each_other_keep_no_scheduler(workspace: Path, quick: Quick) -> None:
    first = enqueue(workspace, {"launcher": quick})
    second = enqueue(workspace, {"launcher": quick}, after=[first])
    third = enqueue(workspace, {"launcher": quick})
    change_job(first, after=[second.id])
    assert queue("run", workspace=workspace) == 0
    assert [state(run) for run in (first, second, third)] == ["queued", "queued", "completed"]


def test_a_failing_job_stops_nobody(workspace: Path, quick: Quick) -> None:
    failing = enqueue(workspace, troubled(quick, raise_at=2), priority=1)
    crashing = enqueue(workspace, troubled(quick, exit_at=2), priority=1)
    fine = enqueue(workspace, {"launcher": quick})
    assert queue("run", workspace=workspace) == 0
    assert [state(run) for run in (failing, crashing, fine)] == ["failed", "failed", "completed"]
    assert "ArithmeticError: call 2" in failing.read()["reason"]
    assert crashing.read()["reason"].startswith("SystemExit: 3")


def test_list(workspace: Path, quick: Quick, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    first = enqueue(workspace, {"launcher": quick}, priority=3)
    second = enqueue(workspace, {"launcher": quick})
    impossible = enqueue(workspace, {"launcher": quick}, device="cuda:0")
    with hold(("cpu",), run="somebody", workspace=workspace):
        assert queue("list", "--json", workspace=workspace) == 0
        told = json.loads(capsys.readouterr().out)
        assert queue("list", workspace=workspace) == 0
    shown = capsys.readouterr()
    reasons = {
        first.id: f"cpu: 1 of 1 slot taken by somebody (process {os.getpid()})",
        second.id: f"behind {first.id}",
        impossible.id: "asks for cuda:0; there is: no GPU",
    }
    assert {job["run"]: job["why"] for job in told["jobs"]} == reasons
    assert [(job["run"], job["state"], job["priority"]) for job in told["jobs"]] == [
        (first.id, "queued", 3),
        (second.id, "queued", 0),
        (impossible.id, "queued", 0),
    ]
    assert (told["scheduler"], told["cpu_slots"]) == (None, 1)
    assert [(d["device"], [c["run"] for c in d["claims"]]) for d in told["devices"]] == [("cpu", ["somebody"])]
    assert [line.split()[0] for line in shown.out.splitlines()[1::2]] == list(reasons)
    assert [line.strip() for line in shown.out.splitlines()[2::2]] == list(reasons.values())
    assert "no scheduler is running: dlkit queue run" in shown.err
    assert queue("run", workspace=workspace) == 0, "the impossible job keeps no scheduler"
    assert [state(run) for run in (first, second, impossible)] == ["completed", "completed", "queued"]


def test_list_of_what_runs(workspace: Path, quick: Quick, capsys: Captured) -> None:
    assert queue("list", workspace=workspace) == 0
    assert f"nothing runs or waits in {workspace}" in capsys.readouterr().err
    running, waiting = _one_that_runs_and_one_that_waits(workspace, quick)
    capsys.readouterr()
    assert queue("list", workspace=workspace) == 0
    shown = capsys.readouterr()
    assert [line.split()[:2] for line in shown.out.splitlines()[1::2]] == [
        [running.id, "running"],
        [waiting.id, "queued"],
    ]
    worker = running.read()["worker"]
    assert [line.strip() for line in shown.out.splitlines()[2::2]] == [
        "on cpu",
        f"cpu: 1 of 1 slot taken by {running.id} (process {worker})",
    ]
    assert f"scheduler: process {scheduler(workspace)}, 1 CPU slot(s)" in shown.err


def _one_that_runs_and_one_that_waits(workspace: Path, quick: Quick) -> tuple[RunFolder, RunFolder]:
    running = enqueue(workspace, troubled(quick, wait=0.01), **ENDLESS)
    assert train("--queue", "--json", workspace=workspace) == 0
    queue = QueueState(workspace)
    queue.refresh()
    (waiting,) = (queue.run(name) for name in queue.live() if name != running.id)
    until(lambda: running.events.exists())
    until_step(running, 1)
    return running, waiting


def test_cancel(workspace: Path, quick: Quick, capsys: Captured) -> None:
    running, waiting = _one_that_runs_and_one_that_waits(workspace, quick)
    capsys.readouterr()
    assert queue("cancel", waiting.id, "--json", workspace=workspace) == 0
    assert json.loads(capsys.readouterr().out) == {"cancelled": [waiting.id]}
    assert state(waiting) == "stopped"
    assert waiting.read()["reason"].startswith("cancelled before it was started, by ")
    assert [(end.status, end.steps) for end in events_of(waiting, Finished)] == [("stopped", 0)]

    assert queue("cancel", waiting.id, workspace=workspace) == 1
    assert f"{waiting.id} does not wait in the queue: it is stopped" in capsys.readouterr().err
    assert queue("cancel", running.id, workspace=workspace) == 1
    worker = running.read()["worker"]
    assert f"{running.id} has been started (process {worker}): dlkit stop {running.id}" in capsys.readouterr().err
    assert state(running) == "running"

    commands.append(running.commands, "stop")
    until(lambda: state(running) == "stopped")
    until(lambda: scheduler(workspace) is None)
    assert (state(waiting), starts(waiting)) == ("stopped", 0)


def test_a_cancelled_job_can_be_resumed(workspace: Path, quick: Quick) -> None:
    run = enqueue(workspace, {"launcher": quick})
    assert queue("cancel", run.id, workspace=workspace) == 0
    assert main(["resume", run.id, "--queue", "--priority", "7", "--workspace", str(workspace)]) == 0
    until(lambda: state(run) == "completed")
    job = run.read()["job"]
    assert (job["priority"], job["queued"], job["resume"]) == (7, True, True)


def test_resume_in_the_queue(workspace: Path, quick: Quick, capsys: Captured) -> None:
    run = enqueue(workspace, {"launcher": quick})
    other = enqueue(workspace, {"launcher": quick})
    assert queue("run", workspace=workspace) == 0
    again = ["resume", run.id, "--queue", "--json", "--workspace", str(workspace)]
    assert main(again) == 2
    assert f"{run.id} is complete: give --epochs or --steps" in capsys.readouterr().err
    with hold(("cpu",), run="somebody", workspace=workspace):
        assert main([*again, "--epochs", "3", "--after", other.id]) == 0
        assert run_of(workspace, capsys.readouterr().out) == run
        assert main([*again, "--epochs", "3"]) == 1
        assert f"{run.id} is queued already" in capsys.readouterr().err
    until(lambda: state(run) == "completed")
    assert step(run) == 18
    assert starts(run) == 1


@pytest.mark.parametrize("flag", ["--priority", "--after", "--cpu-slots"])
@pytest.mark.parametrize("where", [[], ["--detach"]], ids=["foreground", "detached"])
def test_flags_of_the_queue_go_with_queue(
    workspace: Path, plugins: None, capsys: Captured, flag: str, where: list[str]
) -> None:
    assert train(*where, flag, "1", workspace=workspace) == 2
    assert capsys.readouterr().err == f"dlkit train: {flag} goes with --queue\n"
    assert list(workspace.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--detach"], "give either --detach (start now) or --queue (start when a device is free), not both"),
        (["--priority", "high"], "--priority 'high': must be a whole number"),
        (["--cpu-slots", "two"], "--cpu-slots 'two': must be a whole number"),
        (["--cpu-slots", "0"], "--cpu-slots 0: must be 1 to 1024"),
        (["--after", "nobody"], "no run 'nobody'"),
    ],
)
def test_wrong_flags(workspace: Path, plugins: None, capsys: Captured, words: list[str], said: str) -> None:
    assert train("--queue", *words, workspace=workspace) == 2
    assert said in capsys.readouterr().err
    assert list(workspace.iterdir()) == []
