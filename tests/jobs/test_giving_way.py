"""Jobs that give way: urgent ones come at once, and those that had the device go on by themselves, exactly."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import kills
from at_length import ALL, times
from dlkit.cli.main import main
from dlkit.errors import UsageError
from dlkit.events import Checkpointed, Commanded, Notice, Started
from dlkit.jobs.detach import detach, start_worker
from dlkit.jobs.queue import cancel, log_of, reprioritise, scheduler, wake
from dlkit.jobs.shares import change, change_person, set_cpu_slots
from dlkit.runs import commands
from dlkit.runs.checkpoints import choose
from dlkit.runs.folder import RunFolder
from dlkit.runs.giving_way import notice_seconds
from kills import Outcome, hand_in, outcome
from queues import Quick, change_job, enqueue, entries, starts, troubled
from storm import Storm, lasting
from storm import recipe as recipe_of
from waiting import LONG
from workers import ENDLESS, all_events, begun, events_of, kill, state, step, trainer_of, until, until_step

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def recipe(quick: Quick) -> dict[str, Any]:
    """A job of about a second, with dropout, augmentation and an average."""
    return {**kills.RECIPES["toy"], "launcher": quick}


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Outcome]:
    return {}


def alone(workspace: Path, recipe: dict[str, Any], undisturbed: dict[str, Outcome]) -> Outcome:
    """What comes of the recipe when nobody disturbs it."""
    if "" not in undisturbed:
        run = hand_in(workspace, recipe)
        wake(workspace)
        completed(run)
        undisturbed[""] = outcome(run)
    return undisturbed[""]


def urgent(workspace: Path, quick: Quick) -> RunFolder:
    run = enqueue(workspace, {"launcher": quick})
    reprioritise(run, urgent=True)
    wake(workspace)
    return run


def training(workspace: Path, layer: dict[str, Any], first: int = 3, **engine: Any) -> RunFolder:
    """A job of the queue that has trained some steps."""
    run = enqueue(workspace, layer, **engine)
    wake(workspace)
    until_step(run, first)
    return run


def completed(*runs: RunFolder) -> None:
    def are() -> bool:
        found = [state(run) for run in runs]
        assert not {"failed", "stopped"} & {*found}, [run.read().get("reason") for run in runs]
        return found == ["completed"] * len(runs)

    until(are, f"not all completed: {[run.id for run in runs]}")


def dlkit(*words: str, workspace: Path) -> int:
    return main([*words, "--workspace", str(workspace)])


def test_an_urgent_job_comes_at_once_and_the_other_goes_on_exactly(
    workspace: Path, quick: Quick, recipe: dict[str, Any], undisturbed: dict[str, Outcome], capsys: Captured
) -> None:
    expected = alone(workspace, recipe, undisturbed)
    victim = hand_in(workspace, recipe, "victim")
    wake(workspace)
    until_step(victim, 3)
    hurry = enqueue(workspace, {"launcher": quick})
    assert dlkit("queue", "priority", hurry.id, "urgent", workspace=workspace) == 0
    assert f"{hurry.id}: urgent" in capsys.readouterr().out
    completed(hurry, victim)
    assert outcome(victim) == expected
    assert starts(hurry) == starts(victim) == 1
    (order,) = events_of(victim, Commanded)
    assert (order.action, order.by, order.refused) == ("release", "the queue", "")
    assert any("gave way to this run" in event.text for event in events_of(hurry, Notice))
    (said,) = [event.text for event in events_of(victim, Notice) if "continues" in event.text]
    assert said.startswith(f"continues after {hurry.id}: it gave way at step {order.step}, ")
    assert main(["show", victim.id, "--workspace", str(workspace), "--log"]) == 0
    assert f"to {hurry.id}, which is urgent" in capsys.readouterr().out


def test_who_waits_after_it_gave_way_says_so(workspace: Path, quick: Quick, capsys: Captured) -> None:
    victim = training(workspace, troubled(quick, wait=0.01), **ENDLESS)
    hurry = enqueue(workspace, troubled(quick, wait=0.02), **ENDLESS)
    reprioritise(hurry, urgent=True)
    until(lambda: state(hurry) == "running")
    until(lambda: state(victim) == "queued")
    why = entries(workspace)[victim.id].why
    assert why.startswith(f"gave way at step {step(victim)} to {hurry.id}, continues after {hurry.id}; cpu: 1 of 1")
    assert entries(workspace)[hurry.id].importance == "urgent"
    assert dlkit("show", victim.id, workspace=workspace) == 0
    assert f"queued: gave way to {hurry.id}, which is urgent, at step" in capsys.readouterr().out
    assert dlkit("queue", "list", "--json", workspace=workspace) == 0
    assert [job["urgent"] for job in json.loads(capsys.readouterr().out)["jobs"]] == [True, False]
    commands.append(hurry.commands, "stop")
    until(lambda: state(victim) == "running", "it did not go on by itself")
    assert "gave_way" not in victim.read()["job"]
    commands.append(victim.commands, "stop")
    until(lambda: state(victim) == "stopped")


def test_an_urgent_job_is_no_victim_and_the_least_important_is(workspace: Path, quick: Quick) -> None:
    set_cpu_slots(workspace, 2)
    layer = troubled(quick, wait=0.01)
    important = enqueue(workspace, layer, priority=3, **ENDLESS)
    least = enqueue(workspace, layer, **ENDLESS)
    wake(workspace)
    until_step(important, 1)
    until_step(least, 1)
    first, second, third = (urgent(workspace, troubled(quick, wait=0.01)["launcher"]) for _ in range(3))
    completed(first, second, third)
    until(lambda: {state(important), state(least)} == {"running"})
    assert len([event for event in all_events(least) if isinstance(event, Commanded)]) >= 1
    assert {event.value["why"] for run in (important, least) for event in events_of(run, Commanded)} == {"urgent"}
    for run in (important, least):
        commands.append(run.commands, "stop")
        until(lambda run=run: state(run) == "stopped")


def test_the_urgent_job_is_cancelled_before_it_began(workspace: Path, quick: Quick) -> None:
    victim = training(workspace, troubled(quick, wait=0.01), **ENDLESS)
    process = scheduler(workspace)
    assert process is not None
    os.kill(process, signal.SIGSTOP)  # it has asked nobody yet
    hurry = urgent(workspace, quick)
    os.kill(process, signal.SIGCONT)
    until(lambda: victim.commands.exists())
    try:
        cancel(hurry)
    except Exception:  # it came too late: the urgent one runs, which is as good
        completed(hurry)
    until(lambda: events_of(victim, Commanded) and state(victim) == "running", "it did not go on")
    assert starts(victim) == 1
    commands.append(victim.commands, "stop")
    until(lambda: state(victim) == "stopped")


@pytest.mark.parametrize("label", ["checkpoint.begun", "checkpoint.renamed", "event.before"])
def test_a_victim_that_is_killed_while_it_gives_way_waits_again(
    workspace: Path, quick: Quick, recipe: dict[str, Any], undisturbed: dict[str, Outcome], label: str
) -> None:
    """The process that trains, by itself: in the midst of its last checkpoint, or when it records the order."""
    expected = alone(workspace, recipe, undisturbed)
    # Nothing is written before the order comes: the first passing of the point is in obeying it.
    still = {**recipe["engine"], "checkpoint_every": 60, "eval_every": "end", "probe_every": 0}
    slow = {**recipe, "loss": {"name": "troubled", "wait": 0.05}, "engine": still}
    with kills.fault(label, 1 if label.startswith("checkpoint") else 6):
        victim = hand_in(workspace, slow)
        worker = start_worker(victim, "--cpu-slots", "1")
    until(lambda: events_of(victim, Started))
    hurry = urgent(workspace, quick)
    worker.wait(LONG)
    completed(hurry)
    completed(victim)
    assert choose(victim.path, "last").sha256 == expected[0]
    assert starts(hurry) == 1


def test_a_worker_that_is_killed_while_its_job_gives_way(workspace: Path, quick: Quick) -> None:
    """And the scheduler with it: the next one finds the order in the folder."""
    victim = training(workspace, troubled(quick, wait=0.01), **ENDLESS)
    process, worker = scheduler(workspace), int(victim.read()["worker"])
    assert process is not None
    kill(process)
    os.kill(trainer_of(victim), signal.SIGSTOP)
    hurry = enqueue(workspace, {"launcher": quick})
    reprioritise(hurry, urgent=True)
    wake(workspace)
    until(lambda: victim.commands.exists() and victim.commands.stat().st_size)
    second, trains = scheduler(workspace), trainer_of(victim)
    assert second is not None
    for one in (second, worker, trains):
        kill(one)
    until(lambda: state(victim) == "interrupted")
    wake(workspace)
    completed(hurry)
    until(lambda: state(victim) == "running", "it was not put back")
    commands.append(victim.commands, "stop")
    until(lambda: state(victim) == "stopped")


@pytest.mark.parametrize("label", ["scheduler.asking", "scheduler.asked"])
def test_a_scheduler_that_is_killed_while_it_asks(workspace: Path, quick: Quick, label: str) -> None:
    victim = training(workspace, troubled(quick, wait=0.01), **ENDLESS)
    process = scheduler(workspace)
    assert process is not None
    kill(process)
    until(lambda: scheduler(workspace) is None)
    hurry = enqueue(workspace, {"launcher": quick})
    reprioritise(hurry, urgent=True)
    with kills.fault(label, 1):
        dies = detach("dlkit.jobs.scheduler", [str(workspace)], log_of(workspace).open("ab"))
    assert dies.wait(LONG) == -signal.SIGKILL
    wake(workspace)
    completed(hurry)
    until(lambda: state(victim) == "running")
    assert len(events_of(victim, Commanded)) == 1, "asked twice"
    commands.append(victim.commands, "stop")
    until(lambda: state(victim) == "stopped")


def test_a_job_of_another_workspace_gives_way(workspace: Path, tmp_path: Path, quick: Quick) -> None:
    other = tmp_path / "other"
    try:
        victim = training(other, troubled(quick, wait=0.01), **ENDLESS)
        hurry = urgent(workspace, quick)
        completed(hurry)
        until(lambda: state(victim) == "running", "it did not go on")
        assert any(f"{victim.id} gave way" in event.text for event in events_of(hurry, Notice))
        commands.append(victim.commands, "stop")
        until(lambda: state(victim) == "stopped")
    finally:
        from jobsite import end_processes

        end_processes(other)


def test_pause_release_by_hand(
    workspace: Path, quick: Quick, recipe: dict[str, Any], undisturbed: dict[str, Outcome], capsys: Captured
) -> None:
    expected = alone(workspace, recipe, undisturbed)
    run = hand_in(workspace, recipe, "long")
    wake(workspace)
    until_step(run, 3)
    worker = int(run.read()["worker"])
    assert dlkit("pause", "long", "--release", "--reason", "lunch", workspace=workspace) == 0
    assert "its device given back (" in capsys.readouterr().out
    until(lambda: not Path(f"/proc/{worker}").exists() or state(run) == "queued")
    later = enqueue(workspace, {"launcher": quick})
    wake(workspace)
    completed(later)  # the device is free
    assert state(run) == "queued"
    why = entries(workspace)[run.id].why
    assert "held by" in why and "lunch" in why and "dlkit unpause" in why
    assert dlkit("unpause", "long", workspace=workspace) == 0
    assert "goes on from step" in capsys.readouterr().out
    completed(run)
    assert outcome(run) == expected


def test_a_job_that_waits_is_held(workspace: Path, quick: Quick, capsys: Captured) -> None:
    run = enqueue(workspace, {"launcher": quick})
    assert dlkit("pause", run.id, "--release", workspace=workspace) == 0
    other = enqueue(workspace, {"launcher": quick})
    wake(workspace)
    completed(other)
    assert state(run) == "queued" and starts(run) == 0
    assert dlkit("unpause", run.id, workspace=workspace) == 0
    completed(run)


def test_turns(workspace: Path, quick: Quick) -> None:
    """Jobs of equal priority have the device in turn; one that is more important keeps it."""
    change(workspace, turn=1.0)
    layer = troubled(quick, wait=0.01)
    first = training(workspace, layer, **ENDLESS)
    second = enqueue(workspace, layer, **ENDLESS)
    until(lambda: state(second) == "running" and state(first) == "queued")
    until(lambda: state(first) == "running" and state(second) == "queued")
    assert {event.value["why"] for event in events_of(first, Commanded)} == {"turn"}
    important = enqueue(workspace, layer, priority=1, **ENDLESS)
    until(lambda: state(important) == "running")
    for run in (first, second):
        cancel(run)
    commands.append(important.commands, "stop")
    until(lambda: state(important) == "stopped")
    assert not [event for event in events_of(important, Commanded) if event.action == "release"]


def test_quotas(
    workspace: Path, quick: Quick, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DLKIT_CONFIG", str(tmp_path / "config"))
    assert dlkit("queue", "settings", "--cpu-slots", "2", "--quota", "1", "--user-quota", "5", workspace=workspace) == 0
    assert "quota      1 (this workspace's quota)\nquota      5 (your quota)" in capsys.readouterr().out
    first = training(workspace, troubled(quick, wait=0.01), **ENDLESS)
    second = enqueue(workspace, {"launcher": quick})
    wake(workspace)
    assert entries(workspace)[second.id].why == "this workspace's quota: 1 of 1 held"
    change(workspace, quota=None)
    completed(second)
    change_person(1)
    third = enqueue(workspace, {"launcher": quick})
    assert entries(workspace)[third.id].why == "your quota: 1 of 1 held"
    reprioritise(third, urgent=True)  # of the own share
    wake(workspace)
    completed(third)
    until(lambda: state(first) == "running")
    commands.append(first.commands, "stop")
    until(lambda: state(first) == "stopped")


def test_not_before_a_time(workspace: Path, quick: Quick) -> None:
    run = enqueue(workspace, {"launcher": quick})
    change_job(run, at=time.time() + 2)
    other = enqueue(workspace, {"launcher": quick})
    wake(workspace)
    assert entries(workspace)[run.id].why.startswith("not before ")
    completed(other, run)
    (began,) = [event.time for event in all_events(run) if isinstance(event, Started)]
    assert began >= run.read()["created"] + 1.5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "nonsense"], "not a time: 18:30"),
        (["--at", "2020-01-01T00:00"], "is past"),
    ],
)
def test_wrong_times(workspace: Path, plugins: None, capsys: Captured, words: list[str], said: str) -> None:
    assert main(["train", "toy", "--queue", *words, "--workspace", str(workspace)]) == 2
    assert said in capsys.readouterr().err


def test_nice(workspace: Path, quick: Quick) -> None:
    run = training(workspace, {**troubled(quick, wait=0.01), "job": {"nice": 7}}, **ENDLESS)
    assert os.getpriority(os.PRIO_PROCESS, int(run.read()["worker"])) == 7
    commands.append(run.commands, "stop")
    until(lambda: state(run) == "stopped")


def storm(workspace: Path, quick: Quick, longs: int, urgents: int, seed: int = 1) -> Storm:
    """Over so many long jobs; each ends as one that nobody disturbed."""
    reference = hand_in(workspace, recipe_of(quick, 0.0))
    wake(workspace)
    completed(reference)
    began = time.monotonic()
    completed(urgent(workspace, quick))
    pace = time.monotonic() - began
    wait = lasting(pace, longs, urgents)
    found = Storm(workspace, quick, seed, pace, [hand_in(workspace, recipe_of(quick, wait)) for _ in range(longs)])
    found.run(urgents)
    found.check(outcome(reference))
    return found


def test_a_few_urgent_jobs_with_kills_in_between(workspace: Path, quick: Quick) -> None:
    storm(workspace, quick, longs=2, urgents=7)


@pytest.mark.slow
def test_a_hundred_urgent_jobs_with_kills_in_between(workspace: Path, quick: Quick) -> None:
    """A hundred where there is time, else a fifth."""
    found = storm(workspace, quick, longs=5, urgents=times(100))
    latencies = found.latencies()
    print(f"kills {found.kills}, {found.cancelled} cancelled; {len(latencies)} had one victim, seconds from its "
          f"checkpoint: {', '.join(f'{seconds:.2f}' for seconds in sorted(latencies))}")  # fmt: skip
    assert len(latencies) >= 10 or not ALL, "few had to give way"


@pytest.fixture
def notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLKIT_NOTICE_SECONDS", "3")


def test_a_notice_puts_a_job_of_the_queue_back(
    workspace: Path, notice: None, recipe: dict[str, Any], undisturbed: dict[str, Outcome]
) -> None:
    """SIGTERM reaches all its processes, as where a session ends, and twice."""
    expected = alone(workspace, recipe, undisturbed)
    run = hand_in(workspace, recipe)
    wake(workspace)
    until_step(run, 3)
    worker, trains = int(run.read()["worker"]), trainer_of(run)
    for process in (worker, trains, trains, worker):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
    until(lambda: state(run) == "queued")
    assert "notice (SIGTERM)" in str(run.read()["reason"])
    assert entries(workspace)[run.id].why.startswith(f"gave way at step {step(run)}; not before ")
    completed(run)  # the scheduler has outlived it
    assert outcome(run) == expected and starts(run) == 1


def test_a_notice_that_is_too_short_leaves_the_checkpoint_before(workspace: Path, notice: None, quick: Quick) -> None:
    run = enqueue(workspace, troubled(quick, wait=4), **ENDLESS)  # a step takes longer than the notice
    wake(workspace)
    until(lambda: events_of(run, Checkpointed))
    os.kill(int(run.read()["worker"]), signal.SIGTERM)
    until(lambda: state(run) == "queued")
    last = choose(run.path, "last")
    assert last.problems() == [] and f"at step {last.step}" in str(run.read()["reason"])
    cancel(run)
    assert starts(run) == 1


def test_a_notice_stops_a_job_of_no_queue(workspace: Path, notice: None, quick: Quick) -> None:
    run, worker = begun(workspace, {"launcher": quick, **troubled(quick, wait=0.01)}, **ENDLESS)
    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(LONG) == 130
    assert (state(run), run.read()["reason"]) == ("stopped", "stopped by SIGTERM")


@pytest.mark.parametrize("said", ["soon", "-1", "nan"])
def test_a_notice_that_is_no_time(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLKIT_NOTICE_SECONDS", said)
    with pytest.raises(UsageError, match="must be seconds, 0 to 86400"):
        notice_seconds()
