"""``dlkit wait``: until runs have ended, whoever trains them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlkit.runs.folder import RunFolder
from recorded import record_run
from waiting import LONG

Dlkit = Callable[..., Any]
ENDS = {"completed": 0, "failed": 1, "interrupted": 1, "stopped": 130}


def later(*acts: Callable[[], object]) -> threading.Thread:
    """One after the other, a moment apart, beside the command."""

    def work() -> None:
        for act in acts:
            time.sleep(0.3)
            act()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize("state", ENDS)
def test_the_exit_code_says_how_it_ended(dlkit: Dlkit, tmp_path: Path, state: str) -> None:
    run = record_run(tmp_path, 0, state=state)
    done = dlkit("wait", run.id, "--workspace", tmp_path)
    assert done.code == ENDS[state]
    assert done.out.startswith(f"{run.id}: {state}")


def test_of_several_the_worst_counts_and_each_is_told_as_it_ends(dlkit: Dlkit, tmp_path: Path) -> None:
    runs = [record_run(tmp_path, number, state="queued") for number in range(3)]
    ends = ("stopped", "completed", "failed")
    acting = later(*(lambda run=run, end=end: run.update(state=end) for run, end in zip(runs, ends, strict=True)))
    done = dlkit("wait", *(run.id for run in runs), "--workspace", tmp_path)
    acting.join()
    assert done.code == 1
    told = [line.partition(",")[0] for line in done.out.splitlines()]
    assert told == [f"{run.id}: {end}" for run, end in zip(runs, ends, strict=True)]
    assert f"{runs[0].id}: queued" in done.err, "nobody may ever start it"


def test_any_and_json(dlkit: Dlkit, tmp_path: Path) -> None:
    waiting, ended = record_run(tmp_path, 0, state="queued"), record_run(tmp_path, 1, state="stopped")
    done = dlkit("wait", waiting.id, ended.id, "--any", "--json", "--workspace", tmp_path)
    assert done.code == 130
    (found,) = done.json["runs"]
    assert (found["run"], found["state"]) == (ended.id, "stopped")


@pytest.mark.parametrize("words", [(), ("--any",)])
def test_what_has_not_ended_in_time_is_named(dlkit: Dlkit, tmp_path: Path, words: tuple[str, ...]) -> None:
    run = record_run(tmp_path, 0, state="queued")
    done = dlkit("wait", run.id, "--timeout", "0.3", *words, "--workspace", tmp_path)
    assert (done.code, done.out) == (1, "")
    assert f"not ended within 0.3 s: {run.id} (queued)" in done.err


def test_a_run_that_is_removed_meanwhile(dlkit: Dlkit, tmp_path: Path) -> None:
    run = record_run(tmp_path, 0, state="queued")
    acting = later(lambda: run.path.rename(tmp_path / "elsewhere"))
    done = dlkit("wait", run.id, "--workspace", tmp_path)
    acting.join()
    assert (done.code, done.out) == (1, f"{run.id}: removed\n")


@pytest.mark.parametrize("timeout", ["-1", "nan", "soon"])
def test_a_time_that_is_none_is_refused(dlkit: Dlkit, tmp_path: Path, timeout: str) -> None:
    run = record_run(tmp_path, 0, state="completed")
    done = dlkit("wait", run.id, f"--timeout={timeout}", "--workspace", tmp_path)
    assert done.code == 2
    assert "must be 0 or more seconds" in done.err or "is not a duration" in done.err


def test_ctrl_c_leaves_the_run_alone(tmp_path: Path) -> None:
    run = record_run(tmp_path, 0, state="queued")
    command = [sys.executable, "-m", "dlkit", "wait", run.id, "--workspace", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "queued" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(LONG) == 130
    assert RunFolder(run.path).read()["state"] == "queued"
