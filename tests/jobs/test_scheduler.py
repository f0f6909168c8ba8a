"""What starts queued jobs: two of it, none of it, killed; devices that others have; jobs that cannot be started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import kills
import workers
from dlkit.cli.main import main
from dlkit.cores import own_cores
from dlkit.jobs import scheduler as scheduling
from dlkit.jobs.claims import claims
from dlkit.jobs.detach import detach
from dlkit.jobs.foreground import train_here
from dlkit.jobs.queue import lock_of, log_of, scheduler, wake
from dlkit.jobs.shares import cpu_slots, set_cpu_slots
from dlkit.runs import commands
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import RunLock
from queues import Quick, assert_one_by_one, change_job, enqueue, entries, queue, span, starts, troubled
from toy import toy_attempt
from waiting import LONG
from workers import ENDLESS, kill, state, until

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler in this process ends as soon as it is idle."""
    monkeypatch.setattr(scheduling, "LINGER_SECONDS", 0.0)


@contextmanager
def queue_run(workspace: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """``dlkit queue run`` in a process of its own."""
    command = [sys.executable, "-m", "dlkit", "queue", "run", *words, "--workspace", str(workspace)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until_all(runs: list[RunFolder], wanted: str = "completed") -> None:
    until(lambda: [state(run) for run in runs] == [wanted] * len(runs), f"not all are {wanted}")


def stop(*runs: RunFolder) -> None:
    for run in runs:
        commands.append(run.commands, "stop")
    until_all(list(runs), "stopped")


def test_queue_run_waits_while_another_scheduler_runs(workspace: Path, quick: Quick) -> None:
    """Until nothing is left to start; should the other one die, it takes its place."""
    run, later = enqueue(workspace, troubled(quick, wait=0.01), **ENDLESS), enqueue(workspace, {"launcher": quick})
    wake(workspace)
    until(lambda: state(run) == "running")
    process = scheduler(workspace)
    assert process is not None
    with queue_run(workspace) as waiting:
        assert waiting.stderr is not None
        assert f"already (process {process}); this waits" in waiting.stderr.readline()
        os.kill(process, signal.SIGKILL)
        assert waiting.stderr.readline() == "scheduler started\n"
        assert scheduler(workspace) == waiting.pid
        stop(run)
        assert waiting.wait(LONG) == 0
    assert state(later) == "completed"


def test_ctrl_c_ends_the_wait_for_another_scheduler(workspace: Path, quick: Quick) -> None:
    run = enqueue(workspace, troubled(quick, wait=0.01), **ENDLESS)
    wake(workspace)
    until(lambda: state(run) == "running")
    process = scheduler(workspace)
    with queue_run(workspace) as waiting:
        assert waiting.stderr is not None
        assert "this waits" in waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        assert "the scheduler goes on" in waiting.stderr.read()
        assert waiting.wait(LONG) == 0
    assert scheduler(workspace) == process
    stop(run)


def test_two_schedulers_at_once(workspace: Path, quick: Quick) -> None:
    runs = [enqueue(workspace, {"launcher": quick}) for _ in range(3)]
    both = [detach("dlkit.jobs.scheduler", [str(workspace)], log_of(workspace).open("ab")) for _ in range(2)]
    until_all(runs)
    assert [process.wait(workers.PATIENCE) for process in both] == [0, 0]
    lines = log_of(workspace).read_text().splitlines()
    assert [sum(f"{run.id}: started on cpu" in line for line in lines) for run in runs] == [1, 1, 1]
    assert sum("scheduler started" in line for line in lines) == 1
    assert_one_by_one(runs)


@pytest.mark.parametrize("label", ["scheduler.starting", "scheduler.started"])
@pytest.mark.parametrize("count", [1, 2])
def test_killed_while_it_starts_a_job(workspace: Path, quick: Quick, label: str, count: int) -> None:
    runs = [enqueue(workspace, {"launcher": quick}) for _ in range(3)]
    with kills.fault(label, count):
        process = detach("dlkit.jobs.scheduler", [str(workspace)], log_of(workspace).open("ab"))
    assert process.wait(workers.PATIENCE) == -signal.SIGKILL
    assert queue("run", workspace=workspace) == 0
    until_all(runs)  # the last may have been started by a scheduler that a worker's end brought
    assert [starts(run) for run in runs] == [1, 1, 1]
    assert_one_by_one(runs)


def test_a_worker_that_ends_brings_a_killed_scheduler_back(workspace: Path, quick: Quick) -> None:
    runs = [enqueue(workspace, troubled(quick, wait=0.05)), *(enqueue(workspace, {"launcher": quick}) for _ in "ab")]
    wake(workspace)
    until(lambda: state(runs[0]) == "running")
    process = scheduler(workspace)
    assert process is not None
    kill(process)
    until(lambda: scheduler(workspace) is None)
    until_all(runs)
    assert [starts(run) for run in runs] == [1, 1, 1]
    assert_one_by_one(runs)


def test_a_job_that_comes_while_the_scheduler_ends(workspace: Path, quick: Quick) -> None:
    """Whoever queues it sees a scheduler that has looked for the last time."""
    served = scheduling.Scheduler(workspace, lambda text: texts.append(text))
    texts: list[str] = []
    late: list[RunFolder] = []

    class Late(list[str]):
        def append(self, text: str) -> None:
            super().append(text)
            if text.startswith("scheduler ends") and not late:
                late.append(enqueue(workspace, {"launcher": quick}))
                assert not wake(workspace)

    texts = Late()
    served.serve()
    assert [state(run) for run in late] == ["completed"]


def test_a_foreground_run_is_waited_for(workspace: Path, quick: Quick) -> None:
    attempt = toy_attempt(workspace, epochs=100_000, eval_every="never", sample_every="never")
    stream = train_here(attempt)
    next(stream)
    waiting = enqueue(workspace, {"launcher": quick})
    wake(workspace)
    until(lambda: scheduler(workspace) is not None)
    reason = f"cpu: 1 of 1 slot taken by {attempt.run.id} (process {os.getpid()})"
    assert entries(workspace)[waiting.id].why == reason
    for _ in range(20):
        next(stream)
    assert (state(waiting), starts(waiting)) == ("queued", 0)
    stream.close()
    until(lambda: state(waiting) == "completed")
    until(lambda: claims() == [])  # its supervisor ends a moment later


def test_the_end_of_a_foreground_run_lets_the_queue_go_on(workspace: Path, quick: Quick) -> None:
    waiting = enqueue(workspace, {"launcher": quick})
    for _ in train_here(toy_attempt(workspace, epochs=1)):
        assert state(waiting) == "queued", "nobody is there to start it"
    until(lambda: state(waiting) == "completed")


def test_two_workspaces_share_one_slot(workspace: Path, quick: Quick) -> None:
    other = workspace.with_name("other")
    runs = [enqueue(where, troubled(quick, wait=0.02)) for where in (workspace, other, workspace, other)]
    for where in (workspace, other):
        assert wake(where)
    until_all(runs)
    spans = sorted(span(run) for run in runs)
    moments = [moment for pair in spans for moment in pair]
    assert moments == sorted(moments), f"two at once: {spans}"


@pytest.mark.slow
def test_two_slots(workspace: Path, plugins: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once, each with its share of the cores."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    layer = {"loss": {"name": "troubled", "wait": 0.3}}
    runs = [enqueue(workspace, layer, threads=0) for _ in range(2)]
    assert queue("run", "--cpu-slots", "2", workspace=workspace) == 0
    (began, ended), (other_began, other_ended) = (span(run) for run in runs)
    assert max(began, other_began) < min(ended, other_ended)
    # What torch was loaded with; steps this small take one.
    assert [run.read()["building_threads"] for run in runs] == [max(1, own_cores() // 2)] * 2
    assert [run.read()["threads"] for run in runs] == [1, 1]


def test_slots_changed_while_the_scheduler_runs(workspace: Path, quick: Quick) -> None:
    runs = [enqueue(workspace, troubled(quick, wait=0.01), **ENDLESS) for _ in range(3)]
    wake(workspace)
    until(lambda: state(runs[0]) == "running")
    assert entries(workspace)[runs[1].id].why.startswith("cpu: 1 of 1 slot taken by")
    with queue_run(workspace, "--cpu-slots", "2") as waiting:
        assert waiting.stderr is not None
        assert "it takes over 2 CPU slot(s)" in waiting.stderr.readline()
    until(lambda: state(runs[1]) == "running")
    assert entries(workspace)[runs[2].id].why.startswith("cpu: 2 of 2 slots taken by")
    set_cpu_slots(workspace, 1)
    stop(runs[0])
    taken = f"cpu: 1 of 1 slot taken by {runs[1].id}"
    until(lambda: entries(workspace)[runs[2].id].why.startswith(taken))
    stop(runs[1])
    until(lambda: state(runs[2]) == "running")
    stop(runs[2])


@pytest.mark.parametrize("said", ["", "nonsense", "[]", '{"cpu_slots": "many"}', '{"cpu_slots": 0}'])
def test_a_damaged_number_of_slots_is_one(workspace: Path, said: str) -> None:
    (workspace / "scheduler.json").write_text(said)
    assert cpu_slots(workspace) == 1


def test_workers_that_cannot_start(
    workspace: Path, quick: Quick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    run = enqueue(workspace, {"launcher": quick})
    following = enqueue(workspace, {"launcher": quick}, after=[run])
    (tmp_path / "broken" / "dlkit").mkdir(parents=True)
    (tmp_path / "broken" / "dlkit" / "__init__.py").write_text("raise SystemExit('no dlkit here')")
    with monkeypatch.context() as patch:
        patch.chdir(tmp_path)
        patch.setenv("PYTHONPATH", str(tmp_path / "broken"))
        assert queue("run", workspace=workspace) == 0
    assert capsys.readouterr().err.count(f"{run.id}: started on cpu") == 3
    reason = "its worker ended 3 times with code 1: output.log has the details"
    assert (state(run), run.read()["reason"]) == ("failed", reason)
    assert run.output.read_text() == "no dlkit here\n" * 3
    assert entries(workspace)[following.id].why.startswith(f"after {run.id}, which is failed")
    assert main(["resume", run.id, "--queue", "--workspace", str(workspace)]) == 0
    until_all([run, following])


def test_an_unknown_launcher(workspace: Path, quick: Quick) -> None:
    run = enqueue(workspace, {"launcher": quick})
    change_job(run, launcher={"name": "catapult"})
    following = enqueue(workspace, {"launcher": quick})
    assert queue("run", workspace=workspace) == 0
    assert [state(run), state(following)] == ["failed", "completed"]
    assert run.read()["reason"].startswith("could not be started: ")
    assert "catapult" in run.read()["reason"]
    assert starts(run) == 0


def test_a_worker_that_has_nowhere_to_write(workspace: Path, quick: Quick, capsys: Captured) -> None:
    run = enqueue(workspace, {"launcher": quick})
    run.output.mkdir()
    following = enqueue(workspace, {"launcher": quick})
    assert queue("run", workspace=workspace) == 0
    assert [state(run), state(following)] == ["failed", "completed"]
    assert "its worker could not be started 3 times: " in run.read()["reason"]
    assert "output.log: a folder, not a regular file" in run.read()["reason"]


def test_a_job_that_can_neither_be_started_nor_given_up(workspace: Path, quick: Quick, capsys: Captured) -> None:
    run = enqueue(workspace, {"launcher": quick})
    run.output.mkdir()
    run.lock.mkdir()
    following = enqueue(workspace, {"launcher": quick})
    assert queue("run", workspace=workspace) == 0
    assert [state(run), state(following)] == ["queued", "completed"]
    assert f"{run.id}: given up, but that cannot be recorded: " in capsys.readouterr().err


def delete(path: Path) -> None:
    path.unlink()


def overwrite(path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [delete, overwrite, truncate])
def test_an_index_that_is_damaged_meanwhile(
    workspace: Path, quick: Quick, damage: Callable[[Path], None], capsys: Captured
) -> None:
    path = workspace / "dlkit.db"
    first, *others = runs = [enqueue(workspace, troubled(quick, wait=wait)) for wait in (0.0, 0.1, 0.0, 0.0)]
    wake(workspace)
    until(lambda: path.exists() and state(first) == "completed" and state(others[0]) == "running")
    damage(path)
    assert main(["runs", "--json", "--workspace", str(workspace)]) == 0
    assert {told["run"] for told in json.loads(capsys.readouterr().out)} == {run.id for run in runs}
    until_all(runs)
    assert [starts(run) for run in runs] == [1] * 4
    assert main(["runs", "--json", "--workspace", str(workspace)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {run["run"]: run["state"] for run in told} == {run.id: "completed" for run in runs}


JOB = {"since": 1.0, "priority": 9, "after": [], "queued": True, "device": "cpu", "nproc": 1, "gpu_memory": None}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0" * 100,
        "[]",
        "{}",
        '{"state": "queued", "job": {"queued": true}}',
        '{"state": "queued", "job": ["queued"]}',
        '{"state": "queued", "job": null}',
        '{"state": ["queued"]}',
        '{"state": "running", "job": null, "host": 5}',
        *(
            json.dumps({"state": "queued", "job": {**JOB, **wrong}})
            for wrong in (
                {"priority": "high"},
                {"since": None},
                {"after": None},
                {"after": [["a"]]},
                {"device": "cuda:x"},
                {"nproc": "two"},
                {"gpu_memory": "large"},
            )
        ),
        json.dumps({"format": 99, "state": "queued", "job": JOB}),
        json.dumps({"format": "new", "state": "queued", "job": JOB}),
    ],
)
def test_a_damaged_run_disturbs_nobody(workspace: Path, quick: Quick, text: str, capsys: Captured) -> None:
    damaged = workspace / "runs" / "20260101-000000-toy-linear-aaaa"
    damaged.mkdir(parents=True)
    (damaged / "run.json").write_text(text)
    run = enqueue(workspace, {"launcher": quick})
    before = {path.name for path in damaged.iterdir()}
    assert queue("run", workspace=workspace) == 0
    assert state(run) == "completed"
    assert queue("list", workspace=workspace) == 0
    assert (damaged / "run.json").read_text() == text
    assert {path.name for path in damaged.iterdir()} == before
    assert main(["runs", "--workspace", str(workspace)]) == 0
    shown = capsys.readouterr().out
    assert run.id in shown and damaged.name in shown


def test_the_scheduler_reads_its_lock_from_the_file(workspace: Path, plugins: None) -> None:
    assert scheduler(workspace) is None
    with RunLock(lock_of(workspace)):
        assert scheduler(workspace) == os.getpid()
    assert scheduler(workspace) is None
