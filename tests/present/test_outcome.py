"""How a run ended, and what to type next."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dlkit.events import Finished
from dlkit.present.outcome import next_steps, result, unrecorded_end
from dlkit.runs.folder import RunFolder
from toy import toy_run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setenv("DLKIT_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    return toy_run(tmp_path)


def finished(status: str, reason: str = "") -> Finished:
    metrics = {"val/mse": 0.25, "val/mae": 0.5, "val/mse/cat": 1.0}
    return Finished(run="x", status=status, steps=9, seconds=4.0, train_seconds=3.0, metrics=metrics, reason=reason)


def test_a_completed_run_says_its_figures_and_where_to_look(run: RunFolder) -> None:
    lines = result(run, finished("completed"), "val/mse").splitlines()
    assert lines[0] == f"{run.id}: completed, 9 steps in 4.0 s, 3.0 s of it training"
    assert lines[1:3] == ["best val/mse 0.25", "     val/mae 0.5"]
    assert lines[-1] == "     val/mae 0.5", "what to type next is talk"
    assert next_steps(run, finished("completed")).splitlines()[-1] == "  dlkit predict last INPUT"


def test_an_older_run_that_was_resumed_is_not_called_last(run: RunFolder, tmp_path: Path) -> None:
    toy_run(tmp_path)
    assert f"  dlkit evaluate {run.id}" in next_steps(run, finished("completed")).splitlines()


def test_a_copy_outside_any_workspace_is_called_by_its_folder(run: RunFolder, tmp_path: Path) -> None:
    copy = RunFolder(tmp_path / "elsewhere" / run.id)
    shutil.copytree(run.path, copy.path)
    assert f"  dlkit evaluate {copy.path}" in next_steps(copy, finished("completed")).splitlines()


def test_a_stopped_run_says_why_and_how_it_goes_on(run: RunFolder) -> None:
    stopped = finished("stopped", "SIGINT")
    assert result(run, stopped, "val/mse").startswith(f"{run.id}: stopped (SIGINT), ")
    assert f"  dlkit resume {run.id}" in next_steps(run, stopped, called=run.id).splitlines()


def test_an_end_that_the_log_does_not_tell(run: RunFolder) -> None:
    assert unrecorded_end(run, "removed") == f"{run.id}: removed"
    assert unrecorded_end(run, "interrupted").endswith(f"dlkit resume {run.id} goes on")
