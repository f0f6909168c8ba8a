"""``dlkit runs``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlkit.runs.finding import find_run
from toy import toy_run


def test_of_an_empty_workspace_it_says_so_and_creates_nothing(dlkit, tmp_path):
    workspace = tmp_path / "nowhere"
    outcome = dlkit("runs", "--workspace", workspace)
    assert (outcome.code, outcome.out) == (0, "")
    assert "no runs in" in outcome.err
    assert dlkit("runs", "--json", "--workspace", workspace).json == []
    assert not workspace.exists()


def test_lists_the_newest_first(dlkit, trained, ids):
    lines = dlkit("runs", "--workspace", trained).out.splitlines()
    assert [line.split()[0] for line in lines] == ["run", *reversed(ids)]
    assert lines[2].rstrip().endswith("first")


def test_json_has_what_a_script_asks_for(dlkit, trained, ids):
    newest, oldest = dlkit("runs", "--json", "--workspace", trained).json
    assert (newest["run"], oldest["run"]) == (ids[1], ids[0])
    assert oldest["name"] == "first"
    assert oldest["state"] == "completed"
    assert (oldest["task"], oldest["model"], oldest["dataset"]) == ("toy", "linear", "plane")
    assert (oldest["step"], oldest["total_steps"]) == (18, 18)
    assert oldest["best"] == oldest["metrics"]["val/mse"]


def test_limit_says_how_many_more(dlkit, trained, ids):
    outcome = dlkit("runs", "--limit", "1", "--workspace", trained)
    assert ids[1] in outcome.out and ids[0] not in outcome.out
    assert "on the disk; 1 more, --limit 2 shows them all" in outcome.err


def test_task_filters(dlkit, trained):
    assert len(dlkit("runs", "--task", "toy", "--json", "--workspace", trained).json) == 2
    assert dlkit("runs", "--task", "other", "--json", "--workspace", trained).json == []


@pytest.mark.parametrize("words", [("--limit", "0"), ("--limit", "x"), ("--bogus",), ("stray",)])
def test_bad_options_exit_with_2(dlkit, words):
    outcome = dlkit("runs", *words)
    assert outcome.code == 2
    assert words[-1] in outcome.err


def test_a_rename_behind_the_index_is_seen(dlkit, tmp_path):
    run = toy_run(tmp_path)
    assert dlkit("runs", "--json", "--workspace", tmp_path).json[0]["name"] == ""
    run.update(name="later")
    assert dlkit("runs", "--json", "--workspace", tmp_path).json[0]["name"] == "later"


def test_without_or_with_a_broken_index_the_folders_tell(dlkit, tmp_path):
    run = toy_run(tmp_path)
    for path in tmp_path.glob("dlkit.db*"):
        path.unlink()
    assert dlkit("runs", "--json", "--workspace", tmp_path).json[0]["run"] == run.id
    assert not (tmp_path / "dlkit.db").exists()
    (tmp_path / "dlkit.db").write_bytes(b"not a database" * 100)
    assert dlkit("runs", "--json", "--workspace", tmp_path).json[0]["run"] == run.id


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"components": 3}', '{"format": "x"}', '{"result": {"step": 1}, "created": 0.5, "new": 1}']
)
def test_a_damaged_run_is_listed_beside_the_others(dlkit, tmp_path, text):
    good, bad = toy_run(tmp_path), tmp_path / "runs" / "damaged"
    bad.mkdir()
    (bad / "run.json").write_text(text)
    found = {run["run"]: run["state"] for run in dlkit("runs", "--json", "--workspace", tmp_path).json}
    assert found[good.id] == "completed"
    assert "damaged" in found
    assert dlkit("runs", "--workspace", tmp_path).code == 0


def test_run_references(trained, ids):
    assert find_run(trained, "last").id == ids[1]
    assert find_run(trained, ids[0]).id == ids[0]
    assert find_run(trained, str(trained / "runs" / ids[0])).path == (trained / "runs" / ids[0]).resolve()


def test_an_ambiguous_or_unknown_run_exits_with_2(dlkit, trained, ids):
    ambiguous = dlkit("show", ids[0][:8], "--workspace", trained)
    assert ambiguous.code == 2
    assert ids[0] in ambiguous.err and ids[1] in ambiguous.err
    unknown = dlkit("show", "nothing-like-it", "--workspace", trained)
    assert unknown.code == 2
    assert "nothing-like-it" in unknown.err and ids[1] in unknown.err


def test_a_run_that_was_killed_is_interrupted(dlkit, tmp_path):
    run = toy_run(tmp_path)
    run.update(state="running", result=None)
    (found,) = dlkit("runs", "--json", "--workspace", tmp_path).json
    assert found["state"] == "interrupted"
    assert found["step"] == 18


def test_a_run_of_another_host_is_unknown(dlkit, tmp_path):
    run = toy_run(tmp_path)
    run.update(state="running", host="elsewhere", result=None)
    (found,) = dlkit("runs", "--json", "--workspace", tmp_path).json
    assert found["state"].startswith("unknown, last event ")


def test_json_is_strict(dlkit, tmp_path: Path):
    run = toy_run(tmp_path)
    record = json.loads(run.record.read_text())
    record["result"]["metrics"]["val/odd"] = "nan"
    run.record.write_text(json.dumps(record))
    assert dlkit("runs", "--json", "--workspace", tmp_path).json[0]["metrics"]["val/odd"] == "nan"
