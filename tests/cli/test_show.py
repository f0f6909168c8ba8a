"""``dlkit show`` and ``dlkit compare``: reading what a run's folder says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dlkit.present.sparkline import BLOCKS
from installed import all_but
from recorded import record_run
from toy import toy_run


def test_json_has_the_contract_keys(dlkit, trained, ids):
    found = dlkit("show", ids[0], "--json", "--workspace", trained).json
    assert found["run"] == ids[0]
    assert found["task"] == "toy"
    assert found["state"] == "completed"
    assert found["step"] == 18
    assert found["metrics"]["val/mse"] > 0
    assert found["config"]["engine"]["epochs"] == 3
    assert found["config"]["model"] == {"name": "linear", "dropout": 0.1, "bias": True}
    assert [sample["kind"] for sample in found["samples"]] == ["table"]
    assert {"step", "best", "size", "folder"} <= found["checkpoints"][0].keys()
    assert sum(checkpoint["best"] for checkpoint in found["checkpoints"]) == 1


def test_text_tells_state_metrics_and_what_differs_from_defaults(dlkit, trained, ids):
    text = dlkit("show", ids[1], "--workspace", trained).out
    assert f"run     {ids[1]}" in text
    assert "state   completed" in text
    assert "model.dropout = 0.0" in text
    assert "model.bias" not in text
    assert "val/mse" in text and any(block in text for block in BLOCKS)
    assert "model.bias = True" in dlkit("show", ids[1], "--config", "--workspace", trained).out


def test_samples_and_log_are_shown_when_asked_for(dlkit, trained, ids):
    plain = dlkit("show", ids[0], "--workspace", trained).out
    assert "--samples draws them" in plain
    text = dlkit("show", ids[0], "--samples", "--log", "--workspace", trained).out
    assert "true and predicted" in text
    assert "completed: val/" in text and "epoch 1" in text and "steps to go" in text


def test_samples_leave_as_files(dlkit, trained, ids, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    where = ("--workspace", trained)
    shown = dlkit("show", ids[0], "--gif", "--html", *where)
    assert shown.out.splitlines() == [f"{ids[0]}-samples/rows.gif", f"{ids[0]}-samples/{ids[0]}.html"]
    assert all((tmp_path / line).is_file() for line in shown.out.splitlines())
    told = dlkit("show", ids[0], "-o", "png", "--json", *where).json
    steps = [sample["step"] for sample in told["samples"]]
    assert told["exported"] == [str(tmp_path / f"png/rows-{step:08d}.png") for step in steps]
    wrong = dlkit("show", ids[0], "--gif", "--only", "images", *where)
    assert wrong.code == 2 and "no sample 'images'; its samples are rows" in wrong.err
    assert "--gif, --html or -o DIR" in dlkit("show", ids[0], "--only", "images", *where).err
    (tmp_path / "file").write_text("")
    taken = dlkit("show", ids[0], "--html", "-o", "file", *where)
    assert taken.code == 2 and "cannot be written" in taken.err


def test_looking_changes_nothing(dlkit, trained, ids):
    def state() -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in trained.rglob("*") if not p.name.startswith("dlkit.db")}

    before = state()
    dlkit("show", "last", "--samples", "--log", "--workspace", trained)
    dlkit("compare", *ids, "--workspace", trained)
    assert state() == before


def test_a_run_folder_works_anywhere(dlkit, trained, ids, tmp_path):
    shutil.copytree(trained / "runs" / ids[0], tmp_path / "copied")
    found = dlkit("show", tmp_path / "copied", "--json").json
    assert found["metrics"]["val/mse"] > 0
    assert found["checkpoints"]


def test_a_failed_run_shows_reason_and_traceback(dlkit, tmp_path):
    run = toy_run(tmp_path, layer={"model": {"name": "faulty", "good_steps": 4}})
    outcome = dlkit("show", run.id, "--workspace", tmp_path)
    assert outcome.code == 0
    assert "state   failed: ZeroDivisionError: division by zero; no checkpoint was written before" in outcome.out
    assert "Traceback (most recent call last):" in outcome.out
    found = dlkit("show", run.id, "--json", "--workspace", tmp_path).json
    assert found["state"] == "failed"
    assert "ZeroDivisionError" in found["traceback"]


@pytest.mark.parametrize("damaged", ["config.toml", "run.json", "events.jsonl", "evaluations.jsonl"])
def test_a_damaged_file_leaves_the_rest_readable(dlkit, tmp_path, damaged):
    run = toy_run(tmp_path)
    (run.path / damaged).write_bytes(b'[]\n{"event": "metrics", "values": 3}\n\xff{"torn')
    for words in ([], ["--json"], ["--samples", "--log"]):
        outcome = dlkit("show", run.id, *words, "--workspace", tmp_path)
        assert outcome.code == 0, outcome.err
    document = dlkit("show", run.id, "--json", "--workspace", tmp_path).json
    assert document["checkpoints"]
    if damaged != "events.jsonl":
        assert document["samples"]


def test_a_damaged_sample_or_checkpoint_is_passed_over(dlkit, tmp_path):
    run = toy_run(tmp_path)
    next(run.samples.glob("*.json")).write_text('{"kind": "hologram"}')
    for manifest in run.checkpoints.glob("*/manifest.json"):
        manifest.write_text("{")
    outcome = dlkit("show", run.id, "--samples", "--workspace", tmp_path)
    assert outcome.code == 0
    assert "cannot be shown" in outcome.err
    assert "no checkpoints" in outcome.out


def test_a_newer_format_is_shown_as_far_as_understood(dlkit, tmp_path):
    run = toy_run(tmp_path)
    record = run.read()
    record.update(format=99, mood="good", result={**record["result"], "mood": "good"})
    run.record.write_text(json.dumps(record))
    with run.events.open("a") as file:
        file.write('{"event":"mood","seq":99,"time":1.0}\n')
    found = dlkit("show", run.id, "--json", "--workspace", tmp_path).json
    assert found["state"] == "completed (newer format)"
    assert found["step"] == 18
    assert dlkit("show", run.id, "--workspace", tmp_path).code == 0


def test_a_run_whose_plugin_is_gone_stays_readable(dlkit, trained, ids, monkeypatch):
    monkeypatch.setenv("DLKIT_DISABLE", all_but())
    text = dlkit("show", ids[0], "--workspace", trained).out
    assert "model.dropout = 0.1" in text
    gone = dlkit("predict", ids[0], "1,2,3", "--workspace", trained)
    assert gone.code == 4
    assert "plugin 'toy'" in gone.err


def test_compare_shows_what_differs_and_marks_the_best(dlkit, trained, ids):
    found = dlkit("compare", *ids, "--json", "--workspace", trained).json
    assert found["runs"] == ids
    assert found["settings"] == {"engine.epochs": [3, 5], "engine.keep": [1, 2], "model.dropout": [0.1, 0.0]}
    entry = found["metrics"]["val/mse"]
    assert entry["best"] == entry["values"].index(min(entry["values"]))
    lines = dlkit("compare", *ids, "--workspace", trained).out.splitlines()
    (line,) = [line for line in lines if line.startswith("val/mse")]
    assert line.split()[1 + entry["best"]].endswith("*")
    assert line.count("*") == 1


def test_compare_marks_by_the_direction_of_the_primary_metric(dlkit, tmp_path):
    first, second = toy_run(tmp_path), toy_run(tmp_path, epochs=6)
    for run, value in ((first, 0.75), (second, 0.5)):
        record = run.read()
        run.update(
            direction="max", metric="val/accuracy", result={**record["result"], "metrics": {"val/accuracy": value}}
        )
    found = dlkit("compare", first.id, second.id, "--json", "--workspace", tmp_path).json
    assert found["metrics"]["val/accuracy"] == {"values": [0.75, 0.5], "best": 0}


def test_compare_needs_two_different_runs(dlkit, trained, ids):
    outcome = dlkit("compare", ids[0], ids[0], "--workspace", trained)
    assert outcome.code == 2
    assert "two different runs" in outcome.err


def test_the_folder_of_a_run_is_not_required_to_be_in_a_workspace(dlkit, tmp_path: Path):
    assert dlkit("show", tmp_path, "--workspace", tmp_path).code == 2


def test_paths_are_stored_whole_and_shown_from_here(dlkit, tmp_path, monkeypatch):
    run = record_run(tmp_path / "workspace")
    monkeypatch.chdir(tmp_path)
    run.config.write_text(f'task = "toy"\n[dataset]\npath = "{tmp_path}/tables/a.csv"\nother = "/elsewhere/b.csv"\n')
    shown = dlkit("show", run.id, "--config", "--workspace", tmp_path / "workspace")
    assert "dataset.path = 'tables/a.csv'" in shown.out and "dataset.other = '/elsewhere/b.csv'" in shown.out
    told = dlkit("show", run.id, "--json", "--workspace", tmp_path / "workspace").json
    assert told["config"]["dataset"]["path"] == f"{tmp_path}/tables/a.csv"


def test_curves_leave_as_a_picture(dlkit, trained, ids, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = ids[0]
    found = dlkit("show", run, "--curves", "--workspace", trained)
    assert found.code == 0 and found.out.strip() == f"{run}-curves.png"
    assert (tmp_path / f"{run}-curves.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads(dlkit("show", run, "--curves", "-o", "c.svg", "--json", "--workspace", trained).out)
    assert told["exported"] == [str(tmp_path / "c.svg")] and "val/" in (tmp_path / "c.svg").read_text()
    for words, said in ((["-o", "c.gif"], "curves are a picture: .png, .svg, .pdf"), (["--gif"], "not with --gif")):
        wrong = dlkit("show", run, "--curves", *words, "--workspace", trained)
        assert wrong.code == 2 and said in wrong.err
