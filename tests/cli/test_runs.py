"""``dlkit runs``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlkit.runs.finding import find_run
from recorded import record_run
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


@pytest.mark.parametrize("words", [("--limit", "0"), ("--limit", "x"), ("--bogus",), ("--sort", "bogus"), ("[stray",)])
def test_bad_options_exit_with_2(dlkit, trained, words):
    outcome = dlkit("runs", *words, "--workspace", trained)
    assert outcome.code == 2
    assert words[-1] in outcome.err


@pytest.fixture(scope="module")
def varied(tmp_path_factory):
    """Six runs of two tasks, two models and a study; the newest first."""
    workspace = tmp_path_factory.mktemp("varied")
    runs = []
    for number, (task, model, lr, mse, more) in enumerate([
        ("toy", "linear", 0.1, 0.5, {}),
        ("toy", "mlp", 0.01, 0.2, {"study": "20261130-100000-toy-abcd"}),
        ("toy", "mlp", 0.1, 0.3, {"study": "20261130-100000-toy-abcd"}),
        ("toy", "linear", 0.01, 0.4, {}),
        ("other", "cnn", 0.1, 0.1, {}),
        ("toy", "linear", 0.1, None, {}),
    ]):  # fmt: skip
        parts = {"model": {"name": model}, "dataset": {"name": "plane"}}
        run = record_run(workspace, number, task=task, components=parts, name="", **more)
        run.config.write_text(f'task = "{task}"\n[model]\nname = "{model}"\n[trainer]\nlr = {lr}\n')
        record = json.loads(run.record.read_text())
        metrics = {} if mse is None else {"val/mse": mse, "val/r2": 1 - mse}
        record["result"] |= {"best": mse, "last": mse, "metrics": metrics}
        run.record.write_text(json.dumps(record))
        runs.append(run.id)
    return workspace, runs


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("val/mse<0.35", "task:toy"), [1, 2]),
        (("lr<0.05 since:2d",), [1, 3]),
        (("!study:abcd", "mse>0", "--sort", "mse"), [4, 3, 0]),
        (("since:2d", "lr=0.1"), [0, 2, 4, 5]),
        (("task:toy", "--sort", "best"), [1, 2, 3, 0, 5]),
        (("task:toy", "--sort", "best", "--reverse"), [0, 3, 2, 1, 5]),
        (("--sort", "val/r2", "--limit", "2"), [4, 1]),
        (("--sort", "lr,model"), [3, 1, 4, 0, 5, 2]),
        (("--reverse",), [5, 4, 3, 2, 1, 0]),
        (("--task", "other", "cnn|mlp"), [4]),
        (("nothing",), []),
    ],
)
def test_a_filter_and_an_order_as_in_the_interface(dlkit, varied, words, expected):
    workspace, ids = varied
    found = dlkit("runs", *words, "--json", "--workspace", workspace)
    assert found.code == 0, found.err
    assert [ids.index(run["run"]) for run in found.json] == expected


def test_columns_are_chosen_and_ordered(dlkit, varied):
    workspace, ids = varied
    words = ("runs", "mlp", "--columns", "lr,run,val/mse,study", "--workspace", workspace)
    first, second, third = dlkit(*words).out.splitlines()
    assert first.split() == ["lr", "run", "val/mse", "study"]
    assert second.split() == ["0.01", ids[1], "0.2", "20261130-100000-toy-abcd"]
    assert third.split() == ["0.1", ids[2], "0.3", "20261130-100000-toy-abcd"]
    assert dlkit(*words, "--csv").out.splitlines()[1] == f"0.01,{ids[1]},0.2,20261130-100000-toy-abcd"
    assert dlkit(*words, "--md").out.startswith("| lr | run | val/mse | study |")


def test_groups_tell_how_many_how_they_stand_and_the_best(dlkit, varied):
    workspace, ids = varied
    where = ("--workspace", workspace)
    found = dlkit("runs", "task:toy", "--group", "model", "--json", *where).json
    assert [(group["values"], group["n"], group["best_run"]) for group in found["groups"]] == [
        ({"model": "linear"}, 3, ids[3]),
        ({"model": "mlp"}, 2, ids[1]),
    ]
    assert found["groups"][1] | {"seconds": 0, "size": 0, "newest": 0} == {
        "values": {"model": "mlp"}, "n": 2, "states": {"completed": 2}, "metric": "val/mse", "best": 0.2,
        "best_run": ids[1], "seconds": 0, "size": 0, "newest": 0, "runs": [ids[1], ids[2]],
    }  # fmt: skip
    told = dlkit("runs", "--group", "study", *where)
    assert [line.split()[:4] for line in told.out.splitlines()[1:]] == [
        ["-", "4", "4", "completed"],
        ["20261130-100000-toy-abcd", "2", "2", "completed"],
    ], "of two tasks there is no best"
    assert "6 runs in 2 groups" in told.err
    several = dlkit("runs", "--group", "task,lr", "--sort", "best", "--limit", "1", *where)
    assert several.out.splitlines()[1].split()[:3] == ["other", "0.1", "1"]
    assert "6 runs in 3 groups; 2 more, --limit 3 shows them all" in several.err
    assert dlkit("runs", "--group", "task", "--csv", *where).out.startswith(
        "task,n,states,metric,best,best run,seconds"
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("stat:failed",), 0, "stat: is no field, so 'stat:failed' was looked for as it is: did you mean 'state'?"),
        (("lrr<1",), 0, "no run has a 'lrr': did you mean 'lr'?"),
        (("zzz",), 0, "no run that matches 'zzz', of 6 runs in"),
        (("zzz", "--group", "task"), 0, "no run that matches 'zzz'"),
        (("since:soon",), 2, "FILTER: 'soon' is not a duration"),
        (("--sort", "lrr"), 2, "--sort lrr: no run has it: did you mean 'lr'?"),
        (("--group", "modle"), 2, "--group modle: no run has it: did you mean 'model'?"),
        (("--columns", ","), 2, "--columns needs keys, for example: task,model,val/loss,lr"),
        (("-state:failed",), 2, "FILTER that begins with a dash goes after --"),
    ],
)
def test_what_no_run_has_is_named_with_what_there_is(dlkit, varied, words, code, said):
    found = dlkit("runs", *words, "--workspace", varied[0])
    assert (found.code, found.out) == (code, "") and said in found.err


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
