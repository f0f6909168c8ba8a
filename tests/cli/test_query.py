"""``dlkit evaluate``, ``predict`` and ``sample``: commands that build the model again."""

from __future__ import annotations

import errno
import io
import json
import shutil

import numpy as np
import pytest

from dlkit.runs import opening
from dlkit.samples import load
from toy import toy_run


@pytest.fixture
def copied(trained, ids, tmp_path):
    """A workspace of one's own with the first run in it."""
    shutil.copytree(trained / "runs" / ids[0], tmp_path / "own" / "runs" / ids[0])
    return tmp_path / "own"


def test_evaluate_measures_the_test_split_and_puts_it_on_record(dlkit, copied, ids):
    first = dlkit("evaluate", "last", "--json", "--workspace", copied)
    assert first.code == 0
    found = first.json
    assert (found["run"], found["checkpoint"], found["split"]) == (ids[0], "best", "test")
    assert set(found["metrics"]) == {"test/mse", "test/loss"}
    assert found["looked_before"] == 0
    (line,) = (copied / "runs" / ids[0] / "evaluations.jsonl").read_text().splitlines()
    assert json.loads(line)["metrics"] == found["metrics"]
    second = dlkit("evaluate", "last", "--workspace", copied)
    assert "looked at before: once with this run" in second.err
    assert f"{found['metrics']['test/mse']:.4g}" in second.out
    assert "looked at before: 2 times with this run" in dlkit("evaluate", "last", "--workspace", copied).err


def test_looks_of_other_runs_at_the_same_data_count(dlkit, trained, copied, ids):
    """A test split that every run is measured on has been looked at by them all."""
    shutil.copytree(trained / "runs" / ids[1], copied / "runs" / ids[1])
    for _ in range(2):
        dlkit("evaluate", ids[1], "--workspace", copied)
    found = dlkit("evaluate", ids[0], "--json", "--workspace", copied)
    assert "looked at before: 2 times with another run of the same task and data set" in found.err
    assert (found.json["looked_before"], found.json["looked_before_by_others"]) == (0, 2)
    assert "looked" not in dlkit("evaluate", ids[0], "--split", "val", "--workspace", copied).err


def test_evaluate_gives_what_it_cannot_put_on_record(dlkit, copied, ids, monkeypatch):
    """A disk that fills up meanwhile: what was measured is worth more than the record of it."""

    def no_room(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(opening, "append", no_room)
    done = dlkit("evaluate", "last", "--json", "--workspace", copied)
    path = copied / "runs" / ids[0] / "evaluations.jsonl"
    assert done.code == 1
    assert done.err == f"not on record: {path}: No space left on device\n"
    assert done.json["unrecorded"] == f"{path}: No space left on device" and "test/mse" in done.json["metrics"]


def test_evaluate_of_the_best_checkpoint_repeats_the_runs_own_figure(dlkit, copied, ids):
    metrics = dlkit("evaluate", "last", "--split", "val", "--json", "--workspace", copied).json["metrics"]
    recorded = dlkit("show", "last", "--json", "--workspace", copied).json["best"]
    assert metrics["val/mse"] == pytest.approx(recorded, rel=1e-6)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--split", "tset"), 2, "did you mean 'test'?"),
        (("--checkpoint", "7"), 2, "no checkpoint '7'"),
        (("--device", "cuda:99"), 2, "no such device here"),
        (("--device", "gpu"), 2, "gpu"),
    ],
)
def test_evaluate_refuses_what_is_not_there(dlkit, copied, words, code, said):
    outcome = dlkit("evaluate", "last", *words, "--workspace", copied)
    assert outcome.code == code, outcome.err
    assert said in outcome.err
    assert not list(copied.glob("runs/*/evaluations.jsonl"))


@pytest.mark.parametrize("step", ["9" * 5000, "²", "-1", ""])
def test_a_step_that_there_is_not_is_named(dlkit, copied, ids, step):
    found = dlkit("evaluate", ids[0], f"--checkpoint={step}", "--workspace", copied)
    assert found.code == 2 and "give best, last or one of the steps" in found.err


def test_evaluate_of_a_run_without_checkpoint_fails_clearly(dlkit, tmp_path):
    run = toy_run(tmp_path)
    shutil.rmtree(run.checkpoints)
    outcome = dlkit("evaluate", "last", "--workspace", tmp_path)
    assert outcome.code == 1
    assert "no checkpoint" in outcome.err


def test_predict_answers_rows(dlkit, trained, ids):
    found = dlkit("predict", ids[0], "1,2,3", "-1,0,0.5", "--json", "--workspace", trained).json
    assert (found["run"], found["checkpoint"]) == (ids[0], "best")
    assert [answer["y"] for answer in found["predictions"]] == pytest.approx([-1.25, -0.5], abs=0.5)
    text = dlkit("predict", ids[0], "1,2,3", "--workspace", trained).out
    assert f"{found['predictions'][0]['y']:.4g}" in text


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "marked"])
def test_predict_reads_standard_input(mark, dlkit, trained, ids, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{mark}1,2,3\n\n0,0,0\n"))
    found = dlkit("predict", ids[0], "--json", "--workspace", trained).json
    assert len(found["predictions"]) == 2


def test_predict_without_input_says_what_input_may_be(dlkit, trained, ids, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    outcome = dlkit("predict", ids[0], "--workspace", trained)
    assert outcome.code == 2
    assert "rows of three numbers" in outcome.err


@pytest.mark.parametrize(("row", "said"), [("1,2", "2 numbers, not 3"), ("1,b,3", "'b'")])
def test_predict_of_a_malformed_row_exits_with_3(dlkit, trained, ids, row, said):
    outcome = dlkit("predict", ids[0], row, "--workspace", trained)
    assert outcome.code == 3
    assert said in outcome.err


def test_a_checkpoint_that_was_altered_is_refused(dlkit, copied, ids):
    for weights in (copied / "runs" / ids[0]).glob("checkpoints/*/model.safetensors"):
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
    outcome = dlkit("predict", "last", "1,2,3", "--workspace", copied)
    assert outcome.code == 1
    assert "model.safetensors" in outcome.err
    assert dlkit("show", "last", "--workspace", copied).code == 0


def test_sample_draws_or_writes(dlkit, trained, ids, tmp_path):
    drawn = dlkit("sample", ids[0], "-n", "3", "--workspace", trained)
    assert drawn.code == 0
    assert "true and predicted" in drawn.out
    written = dlkit("sample", ids[0], "-n", "3", "-o", tmp_path / "out", "--workspace", trained)
    (file,) = written.out.split()
    assert len(load(tmp_path / "out" / file.rpartition("/")[2]).rows) == 3
    listed = dlkit("sample", ids[0], "-o", tmp_path / "out", "--json", "--workspace", trained).json
    assert listed["samples"] == [{"kind": "table", "name": "rows", "path": file}]


def test_samples_a_line_each(dlkit, trained, ids):
    lines = dlkit("sample", ids[0], "-n", "3", "--jsonl", "--workspace", trained).out.splitlines()
    whole = dlkit("sample", ids[0], "-n", "3", "--json", "--workspace", trained).json
    assert [json.loads(line) for line in lines] == whole["samples"]
    refused = dlkit("sample", ids[0], "--jsonl", "--json", "--workspace", trained)
    assert refused.code == 2 and "give one of them" in refused.err


def test_sample_depends_on_the_seed_alone(dlkit, trained, ids):
    def rows(seed: str) -> list[list[float]]:
        found = dlkit("sample", ids[0], "-n", "5", "--seed", seed, "--json", "--workspace", trained).json
        return found["samples"][0]["rows"]

    assert rows("1") == rows("1")
    assert not np.array_equal(rows("1"), rows("2"))


@pytest.mark.parametrize("words", [("-n", "0"), ("-n", "many"), ("--seed", "-1")])
def test_sample_refuses_bad_numbers(dlkit, trained, ids, words):
    outcome = dlkit("sample", ids[0], *words, "--workspace", trained)
    assert outcome.code == 2
    assert words[0] in outcome.err


def test_sample_into_a_file_is_refused(dlkit, trained, ids, tmp_path):
    (tmp_path / "file").write_text("")
    outcome = dlkit("sample", ids[0], "-o", tmp_path / "file", "--workspace", trained)
    assert outcome.code == 2
    assert "cannot be written" in outcome.err
