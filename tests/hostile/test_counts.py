"""Numbers of processes and threads that would bring a machine down are refused, wherever they are said."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from dlkit.cli.main import main
from dlkit.errors import RunError
from dlkit.jobs.queue import listing
from dlkit.jobs.queue_state import QueueState
from dlkit.jobs.shares import cpu_slots
from dlkit.runs.folder import RunFolder
from dlkit.runs.own import marks_again
from queues import Quick, enqueue
from toy import toy_resume, toy_run
from workers import state

HUGE = 10**9
Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--nproc"], "job.nproc = 1000000000 (from flag): must be a whole number from 1 to 1024"),
        (["--engine.workers"], "engine.workers = 1000000000 (from flag): must be a whole number from 0 to 256"),
        (["--engine.threads"], "engine.threads = 1000000000 (from flag): must be a whole number from 0 to 1024"),
        (["--max-restarts"], "job.max_restarts = 1000000000 (from flag): must be a whole number from 0 to 1000"),
        (["--queue", "--cpu-slots"], "--cpu-slots 1000000000: must be 1 to 1024"),
    ],
)
def test_on_the_command_line(tmp_path: Path, plugins: None, capsys: Captured, words: list[str], told: str) -> None:
    assert main(["train", "toy", *words, str(HUGE), "--workspace", str(tmp_path / "new")]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "new" / "runs").exists()


def test_processes_that_this_machine_has_no_cores_for(tmp_path: Path, plugins: None, capsys: Captured) -> None:
    most = 4 * (os.cpu_count() or 1)
    words = ["--nproc", str(most + 1), "--device", "cpu", "--batch-size", str(8 * most)]
    assert main(["train", "toy", *words, "--queue", "--workspace", str(tmp_path)]) == 2
    assert f"give at most {most}" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["threads", "workers"])
def test_in_a_stored_configuration(tmp_path: Path, plugins: None, capsys: Captured, option: str) -> None:
    """The run's own, by its marks: a person may have written it. It can be said otherwise."""
    run = toy_run(tmp_path, epochs=1, threads=1)
    run.config.write_text(re.sub(rf"\n{option} = .*", f"\n{option} = {HUGE}", run.config.read_text()))
    run.update(**marks_again(run.path, run.read()))
    words = ["resume", run.id, "--epochs", "2", "--quiet", "--workspace", str(tmp_path)]
    for command in (words, ["evaluate", run.id, "--workspace", str(tmp_path)]):
        assert main(command) == 2
        assert (
            f"engine.{option} = {HUGE} (from config.toml): must be a whole number from 0 to" in capsys.readouterr().err
        )
    assert main([*words, f"--{option}", "1"]) == 0


@pytest.mark.parametrize("threads", [HUGE, -1, "many", None])
def test_threads_in_run_json(tmp_path: Path, threads: Any) -> None:
    run = toy_run(tmp_path, epochs=1)
    tamper(run, threads=threads)
    with pytest.raises(RunError, match=f"run.json says threads = {threads!r}: allowed are 0 to 1024"):
        toy_resume(run, epochs=2)


@pytest.mark.slow
@pytest.mark.parametrize("nproc", [HUGE, 0, "2", 1.5])
def test_processes_in_a_job_table(workspace: Path, quick: Quick, nproc: Any) -> None:
    run, other = enqueue(workspace, {"launcher": quick}), enqueue(workspace, {"launcher": quick})
    tamper(run, job={**run.read()["job"], "nproc": nproc})
    entries = {entry.id: entry for entry in listing(workspace)}
    assert "nproc" in entries[run.id].why and entries[run.id].state == "damaged"
    queue = QueueState(workspace)
    queue.refresh()
    assert [job.id for job in queue.queued()] == [other.id]
    assert state(run) == "foreign"


def test_slots_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "scheduler.json").write_text(json.dumps({"format": 1, "cpu_slots": HUGE}))
    assert cpu_slots(tmp_path) == 1024


def tamper(run: RunFolder, **changes: Any) -> None:
    run.record.write_text(json.dumps({**json.loads(run.record.read_text()), **changes}))
