"""``dlkit rename``, ``remove`` and ``clean``: commands that write or delete."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from dlkit.cli.clean import STALE_SECONDS
from dlkit.runs.lock import RunLock
from toy import toy_run

HOLD = """
import sys
from pathlib import Path
from dlkit.runs.lock import RunLock
with RunLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def alive(tmp_path):
    """A run whose lock another process holds."""
    run = toy_run(tmp_path)
    run.update(state="running")
    command = [sys.executable, "-c", HOLD, str(run.lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield run
        process.stdin.close()


def age(path, seconds=STALE_SECONDS + 60):
    """Make a path look untouched for so long."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_rename(dlkit, tmp_path):
    run = toy_run(tmp_path)
    outcome = dlkit("rename", "last", " better name ", "--workspace", tmp_path)
    assert (outcome.code, outcome.out) == (0, "")
    assert run.read()["name"] == "better name"
    assert dlkit("show", "last", "--json", "--workspace", tmp_path).json["name"] == "better name"


def test_rename_refuses_several_lines_and_a_newer_format(dlkit, tmp_path):
    run = toy_run(tmp_path)
    assert dlkit("rename", "last", "two\nlines", "--workspace", tmp_path).code == 2
    run.update(format=99)
    outcome = dlkit("rename", "last", "name", "--workspace", tmp_path)
    assert outcome.code == 1
    assert "newer dlkit" in outcome.err
    assert run.read()["name"] == ""


@pytest.mark.parametrize("words", [("rename", "last", "x"), ("remove", "last", "--yes")])
def test_a_live_run_is_left_alone(dlkit, alive, tmp_path, words):
    outcome = dlkit(*words, "--workspace", tmp_path)
    assert outcome.code == 1
    assert "is running (process" in outcome.err
    assert alive.read()["name"] == ""


def test_clean_leaves_a_live_run_alone(dlkit, alive, tmp_path):
    (alive.checkpoints / ".step-1.tmp").mkdir()
    found = dlkit("clean", "--yes", "--interrupted", "--json", "--workspace", tmp_path).json
    assert found == {"removed": [], "bytes": 0}


def test_a_run_of_another_host_is_left_alone(dlkit, tmp_path):
    run = toy_run(tmp_path)
    run.update(state="running", host="elsewhere")
    outcome = dlkit("remove", "last", "--yes", "--workspace", tmp_path)
    assert outcome.code == 1
    assert "elsewhere" in outcome.err
    assert run.path.exists()


def test_remove_asks_and_without_a_terminal_needs_yes(dlkit, tmp_path):
    run = toy_run(tmp_path)
    outcome = dlkit("remove", run.id, "--workspace", tmp_path)
    assert outcome.code == 2
    assert "--yes" in outcome.err
    assert run.path.exists()
    gone = dlkit("remove", run.id, "--yes", "--workspace", tmp_path)
    assert (gone.code, gone.out.split()) == (0, [run.id])
    assert not run.path.exists()
    assert dlkit("runs", "--json", "--workspace", tmp_path).json == []


def test_remove_asked_at_a_terminal_takes_only_a_yes(dlkit, tmp_path, monkeypatch):
    import pty

    run = toy_run(tmp_path)
    for answer, there in ((b"n\n", True), (b"\n", True), (b"y\n", False)):
        master, slave = pty.openpty()
        os.write(master, answer)
        with os.fdopen(slave, closefd=True) as terminal:
            monkeypatch.setattr("sys.stdin", terminal)
            assert dlkit("remove", "last", "--workspace", tmp_path).code == 0
        os.close(master)
        assert run.path.exists() == there


def test_remove_touches_nothing_if_one_of_several_cannot_go(dlkit, tmp_path):
    first, second = toy_run(tmp_path), toy_run(tmp_path)
    with RunLock(second.lock):
        outcome = dlkit("remove", first.id, second.id, "--yes", "--workspace", tmp_path)
    assert outcome.code == 1
    assert first.path.exists() and second.path.exists()
    both = dlkit("remove", first.id, second.id, "--yes", "--json", "--workspace", tmp_path).json
    assert both["removed"] == [first.id, second.id]


def test_remove_of_what_is_no_run_is_refused(dlkit, tmp_path):
    (tmp_path / "runs" / "thesis").mkdir(parents=True)
    (tmp_path / "runs" / "thesis" / "chapter.txt").write_text("precious")
    outcome = dlkit("remove", "thesis", "--yes", "--workspace", tmp_path)
    assert outcome.code == 2
    assert (tmp_path / "runs" / "thesis" / "chapter.txt").exists()


def test_clean_of_a_tidy_or_absent_workspace_does_nothing(dlkit, tmp_path):
    outcome = dlkit("clean", "--workspace", tmp_path / "nowhere")
    assert (outcome.code, outcome.out) == (0, "")
    assert not (tmp_path / "nowhere").exists()


def test_clean_keeps_best_and_last(dlkit, tmp_path):
    run = toy_run(tmp_path, layer={"trainer": {"lr": 0.2}}, epochs=6, keep=9)
    before = dlkit("show", "last", "--json", "--workspace", tmp_path).json["checkpoints"]
    kept = {c["step"] for c in before if c["best"]} | {before[-1]["step"]}
    assert len(kept) < len(before), "the test needs a checkpoint that may go"
    refused = dlkit("clean", "--workspace", tmp_path)
    assert refused.code == 2
    assert "neither best nor last" in refused.err
    freed = dlkit("clean", "--yes", "--json", "--workspace", tmp_path).json
    assert len(freed["removed"]) == len(before) - len(kept)
    after = dlkit("show", "last", "--json", "--workspace", tmp_path).json["checkpoints"]
    assert {c["step"] for c in after} == kept
    assert [c for c in after if c["best"]] == [c for c in before if c["best"]]
    assert dlkit("predict", run.id, "1,2,3", "--workspace", tmp_path).code == 0


def interrupted(workspace, *, checkpoints):
    run = toy_run(workspace)
    run.update(state="running", result=None)
    if not checkpoints:
        for folder in run.checkpoints.glob("*/*"):
            folder.unlink()
    age(run.record)
    return run


def test_clean_removes_interrupted_runs_that_left_nothing(dlkit, tmp_path):
    empty = interrupted(tmp_path, checkpoints=False)
    useful = interrupted(tmp_path, checkpoints=True)
    dlkit("clean", "--yes", "--workspace", tmp_path)
    assert not empty.path.exists()
    assert useful.path.exists()
    dlkit("clean", "--yes", "--interrupted", "--workspace", tmp_path)
    assert not useful.path.exists()


def test_clean_spares_what_may_be_about_to_start(dlkit, tmp_path):
    run = interrupted(tmp_path, checkpoints=False)
    age(run.record, 0)
    hidden = tmp_path / "runs" / ".20260101-000000-toy-linear-abcd"
    hidden.mkdir()
    dlkit("clean", "--yes", "--workspace", tmp_path)
    assert run.path.exists() and hidden.exists()


def test_clean_removes_leftovers(dlkit, tmp_path):
    run = toy_run(tmp_path)
    leftovers = [
        tmp_path / "runs" / ".20260101-000000-toy-linear-abcd",
        tmp_path / "data" / ".mnist.part",
        run.checkpoints / ".step-00000099.tmp",
    ]
    for path in leftovers:
        path.mkdir(parents=True)
        (path / "half").write_bytes(bytes(100))
        age(path)
    found = dlkit("clean", "--yes", "--task", "other", "--json", "--workspace", tmp_path).json
    assert found["removed"] == []
    found = dlkit("clean", "--yes", "--json", "--workspace", tmp_path).json
    removed = {entry["path"] for entry in found["removed"]}
    assert removed >= {str(path) for path in leftovers}
    assert not any(path.exists() for path in leftovers)
    assert run.path.exists()
