"""Looks at a split, counted by task and data set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlkit.runs.folder import RunFolder
from dlkit.runs.looks import looks


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Five runs on two tasks and three data sets."""
    made = [
        ("a", "draw", {"name": "files", "path": "x", "size": 32}, ["test", "val"]),
        ("b", "draw", {"name": "files", "path": "x", "size": 64}, ["test", "test"]),
        ("c", "draw", {"name": "files", "path": "y"}, ["test"]),
        ("d", "name", {"name": "files", "path": "x"}, ["test"]),
        ("e", "draw", {"name": "files", "path": "x"}, []),
    ]
    for name, task, dataset, splits in made:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"format": 1, "id": name, "task": task, "state": "completed"}))
        options = "\n".join(f"{key} = {json.dumps(value)}" for key, value in dataset.items())
        (folder / "config.toml").write_text(f"[dataset]\n{options}\n")
        if splits:
            lines = [json.dumps({"split": split, "metrics": {}}) for split in splits]
            (folder / "evaluations.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def of(workspace: Path, run: str, split: str = "test") -> tuple[int, int, int]:
    found = looks(RunFolder(workspace / "runs" / run), split)
    return found.own, found.by_others, found.others


def test_they_are_counted_by_task_and_data_set(workspace: Path) -> None:
    assert of(workspace, "a") == (1, 2, 1)
    assert of(workspace, "b") == (2, 1, 1)
    assert of(workspace, "c") == (1, 0, 0)
    assert of(workspace, "d") == (1, 0, 0)
    assert of(workspace, "e") == (0, 3, 2)
    assert of(workspace, "e", "val") == (0, 1, 1)


def test_they_are_told(workspace: Path) -> None:
    said = str(looks(RunFolder(workspace / "runs" / "e"), "test"))
    assert said == "3 times with 2 other runs of the same task and data set 'files'"
    assert str(looks(RunFolder(workspace / "runs" / "c"), "test")) == "once with this run"
    assert str(looks(RunFolder(workspace / "runs" / "c"), "val")) == ""


def test_damaged_neighbours_are_passed_over(workspace: Path) -> None:
    (workspace / "runs" / "b" / "config.toml").write_bytes(b"\x00[")
    (workspace / "runs" / "c" / "run.json").write_text("[" * 100_000)
    assert of(workspace, "a") == (1, 0, 0)


def test_a_run_outside_of_any_workspace_knows_its_own(workspace: Path) -> None:
    (workspace / "runs" / "b").rename(workspace / "alone")
    assert looks(RunFolder(workspace / "alone"), "test").own == 2
