"""The whole of it as a user has it: dlkit in a real tmux, 80×24, real jobs in processes of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlkit.runs.index import list_runs
from installed import all_but
from tmux import Tmux
from waiting import LONG

DLKIT = str(Path(sys.executable).with_name("dlkit"))
TRACEBACK = "Traceback (most recent call last)"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    names = ("DLKIT_DEVICES", "DLKIT_CONFIG", "PATH", "OMP_NUM_THREADS")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    few = all_but("classification", "regression", "scratch")
    return {**kept, "DLKIT_DISABLE": few, "DLKIT_WORKSPACE": str(tmp_path / "ws"), "TERM": "screen-256color"}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """Whatever a test leaves running is stopped."""
    folder = tmp_path / "ws"
    yield folder
    for run in list_runs(folder):
        if run.state in ("running", "paused", "queued"):
            words = [DLKIT, "stop", run.id, "--workspace", str(folder)]
            subprocess.run(words, capture_output=True, timeout=LONG, check=False)


def test_first_use_from_an_empty_workspace_to_a_first_answer(environment: dict[str, str], workspace: Path) -> None:
    """At most twelve key presses."""
    with Tmux(DLKIT, environment=environment) as tmux:
        tmux.wait_for(lambda text: "regression" in text and "embedded" in text)
        tmux.press("j", "Enter")  # regression: the form, its Start button in focus
        tmux.wait_for("dlkit train regression")
        tmux.press("Enter")
        tmux.wait_for(lambda text: "completed" in text)
        tmux.press("P")
        tmux.wait_for(lambda text: re.search(r"Enter|ask", text) and "loading" not in text and "Playground" in text)
        answered = answer_after(tmux)
        assert TRACEBACK not in answered
        assert tmux.keys <= 12
    (run,) = list_runs(workspace)
    assert (run.task, run.state) == ("regression", "completed")


def answer_after(tmux: Tmux) -> str:
    """Press Enter once the example stands in the field; the screen with the answer."""
    tmux.wait_for(lambda text: re.search(r"\d+\.\d+", text))
    tmux.press("Enter")
    return tmux.wait_for(
        lambda text: (
            (re.search(r"in \d+(\.\d+)? m?s|answered", text) and "disease" in text.lower()) or "predict" in text
        )
    )


def test_a_job_outlives_the_interface_and_its_terminal(environment: dict[str, str], workspace: Path) -> None:
    with Tmux(DLKIT, environment=environment) as tmux:
        tmux.wait_for("embedded")
        tmux.press("j", "Enter")
        tmux.wait_for("dlkit train regression")
        tmux.press("C-s")
        tmux.wait_for(lambda text: "running" in text or "completed" in text)
    # the terminal is gone, the tmux server killed
    deadline = time.monotonic() + LONG
    while [run.state for run in list_runs(workspace)] != ["completed"]:
        assert time.monotonic() < deadline, list_runs(workspace)
        time.sleep(0.2)
    with Tmux(DLKIT, environment=environment) as tmux:
        tmux.wait_for(lambda text: "lately" in text and "completed" in text)
        tmux.press("2")
        tmux.wait_for("1 run")
        tmux.press("Enter")
        tmux.wait_for("completed")
        tmux.press("C-q")
        tmux.wait_for(lambda text: "1 Home" not in text)
        assert TRACEBACK not in tmux.text


def test_reopened_it_finds_a_job_alive_and_stops_it(environment: dict[str, str], workspace: Path) -> None:
    words = [DLKIT, "train", "regression", "--epochs", "100000", "--detach", "--json", "--workspace", str(workspace)]
    started = subprocess.run(words, capture_output=True, text=True, timeout=LONG, check=True)
    run = json.loads(started.stdout)["run"]
    for _ in range(2):
        with Tmux(DLKIT, environment=environment) as tmux:
            tmux.wait_for("embedded")
            tmux.press("2")
            tmux.wait_for(lambda text: "running" in text and run in text)
            tmux.press("C-q")
            tmux.wait_for(lambda text: "1 Home" not in text)
    with Tmux(DLKIT, environment=environment) as tmux:
        tmux.wait_for("embedded")
        tmux.press("2")
        tmux.wait_for("running")
        tmux.press("x")
        tmux.wait_for("A checkpoint is written first")
        tmux.press("y")
        tmux.wait_for("stopped")
    assert [found.state for found in list_runs(workspace)] == ["stopped"]


def test_without_colour(environment: dict[str, str], workspace: Path) -> None:
    with Tmux(DLKIT, environment={**environment, "NO_COLOR": "1"}) as tmux:
        tmux.wait_for("embedded")
        escapes = tmux._tmux("capture-pane", "-p", "-e")
        colours = set(re.findall(r"\x1b\[[0-9;]*(?:38|48);(?:2;\d+;(\d+);(\d+)|5;(\d+))", escapes))
        assert all(green == blue for green, blue, _ in colours), "shades of grey only"
        tmux.press("2", "3", "4", "1")
        tmux.wait_for("embedded")


def test_a_read_only_workspace_can_be_looked_at(environment: dict[str, str], workspace: Path) -> None:
    from recorded import record_run

    run = record_run(workspace)
    workspace.chmod(0o555)
    (workspace / "runs").chmod(0o555)
    run.path.chmod(0o555)
    try:
        with Tmux(DLKIT, environment=environment) as tmux:
            tmux.wait_for("embedded")
            tmux.press("2")
            tmux.wait_for(run.id)
            tmux.press("Enter")
            tmux.wait_for("completed")
            assert TRACEBACK not in tmux.text
    finally:
        for path in (workspace, workspace / "runs", run.path):
            path.chmod(0o755)
