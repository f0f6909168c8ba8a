"""Ctrl-C in the real command line: a checkpoint, ``stopped``, 130, and what to type next."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dlkit.runs.checkpoints import complete
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.log import read_events
from installed import all_but
from outcome import outcome, values_of
from toy import finish, toy_resume, toy_run
from waiting import LONG

TESTS = Path(__file__).parents[1]
OPTIONS = ["--loss", "troubled", "--epochs", "40", "--device", "cpu", "--engine.threads", "1"]


@pytest.fixture
def installed(write_plugin: Callable[..., Path]) -> dict[str, str]:
    """The environment of a process in which the plugins of tests are the only ones installed."""
    site = write_plugin("toy", "from toy import *\n", module="toy_entry")
    write_plugin("extras", "from extras import *\n", module="extras_entry")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (site, TESTS, TESTS.parent))),
        "DLKIT_DISABLE": all_but("toy"),
        "OMP_NUM_THREADS": "1",
    }


def started(workspace: Path, process: subprocess.Popen[str]) -> RunFolder:
    """The run, once it has recorded a step."""
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline and process.poll() is None:
        found = list((workspace / "runs").glob("2*/events.jsonl"))
        if found and '"metrics"' in found[0].read_text():
            return RunFolder(found[0].parent)
        time.sleep(0.02)
    process.kill()
    raise AssertionError(process.communicate())


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_stops_with_a_checkpoint_and_says_how_to_go_on(
    tmp_path: Path, installed: dict[str, str], as_json: bool
) -> None:
    command = [sys.executable, "-m", "dlkit", "train", "toy", *OPTIONS, "--loss.wait", "0.02"]
    command += ["--workspace", str(tmp_path), *(["--json"] if as_json else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=installed)
    run = started(tmp_path, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LONG)
    assert process.returncode == 130, err
    last = complete(run.path)[-1]
    summary = summarise(run)
    assert (summary.state, summary.reason, summary.step) == ("stopped", "interrupted (Ctrl-C)", last.step)
    assert 0 < last.step < 240
    assert "stopping after this step" in err
    assert "Traceback" not in err
    if as_json:
        end = json.loads(out.splitlines()[-1])
        assert (end["event"], end["run"], end["state"], end["steps"]) == ("finished", run.id, "stopped", last.step)
    else:
        assert "stopped" in out
        assert f"dlkit resume last --workspace {tmp_path}" in err
        assert find_run(tmp_path, "last").id == run.id


def test_a_run_is_resumed_by_the_command_line(tmp_path: Path, installed: dict[str, str]) -> None:
    run = toy_run(tmp_path, threads=1, epochs=2)
    command = [sys.executable, "-m", "dlkit", "resume", "last", "--epochs", "4", "--workspace", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=installed, check=False)
    assert done.returncode == 0, done.stderr
    first, *_, last = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["event"], first["from_step"], first["exact"]) == ("resumed", 12, True)
    assert (last["event"], last["state"], last["steps"]) == ("finished", "completed", 24)
    whole = toy_run(tmp_path, threads=1, epochs=4)
    assert outcome(run) == outcome(whole)
    assert values_of(run) == values_of(whole)
    assert read_events(run.events)[-1].seq == last["seq"]
    assert summarise(finish(toy_resume(run, epochs=5))).step == 30
