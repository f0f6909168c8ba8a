"""``dlkit compare``: side by side, by groups, and in the forms that other programs read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from recorded import record_run, record_seeds

SEEDS = [
    {"lr": lr, "seed": seed, "mse": mse}
    for lr, seed, mse in [(0.1, 0, 3.0), (0.1, 1, 1.0), (0.2, 0, 1.5), (0.2, 1, 1.7), (0.4, 0, 5.0)]
]


@pytest.fixture
def ids(tmp_path: Path) -> list[str]:
    return [run.id for run in record_seeds(tmp_path, SEEDS)]


def test_groups_for_people(dlkit, tmp_path, ids):
    found = dlkit("compare", *ids, "--group", "model,lr", "--workspace", tmp_path)
    assert found.code == 0
    head, *rows = [line.split() for line in found.out.splitlines()]
    assert head == ["model.name", "trainer.lr", "n", "val/mse", "best", "run"]
    assert rows == [
        ["linear", "0.2", "2", "1.6", "±", "1.3", ids[2]],
        ["linear", "0.1", "2", "2", "±", "13", ids[1]],
        ["linear", "0.4", "1", "5", ids[4]],
    ]
    assert "n = 1 has no interval" in found.err and "95 % t-interval" in found.err


def test_groups_for_programs(dlkit, tmp_path, ids):
    words = ("compare", "--task", "toy", "--group", "trainer.lr", "--workspace", tmp_path)
    told = dlkit(*words, "--json").json
    assert told["best"] == ids[2] and [group["settings"] for group in told["groups"]] == [
        {"trainer.lr": 0.2},
        {"trainer.lr": 0.1},
        {"trainer.lr": 0.4},
    ]
    assert told["groups"][2]["metrics"]["val/mse"] == {"mean": 5.0, "half": None, "std": None, "n": 1}
    rows = list(csv.DictReader(dlkit(*words, "--csv").out.splitlines()))
    assert [(row["trainer.lr"], row["n"], row["val/mse mean"]) for row in rows] == [
        ("0.2", "2", "1.6"),
        ("0.1", "2", "2.0"),
        ("0.4", "1", "5.0"),
    ]
    assert rows[2]["val/mse ± 95 %"] == "" and set(rows[0]["runs"].split()) == set(ids[2:4])
    assert dlkit(*words, "--md").out.splitlines()[1:3] == [
        "| --: | --: | --- | --- |",
        f"| 0.2 | 2 | 1.6 ± 1.3 | {ids[2]} |",
    ]
    assert dlkit(*words, "--best").out == f"{ids[2]}\n"


def test_what_is_not_completed_is_said(dlkit, tmp_path, ids):
    failed = record_run(tmp_path, 50, state="failed")
    found = dlkit("compare", *ids, failed.id, "--group", "lr", "--workspace", tmp_path)
    assert f"1 run left out, as not completed:\n  {failed.id} (failed)" in found.err
    assert dlkit("compare", failed.id, "--group", "lr", "--workspace", tmp_path).code == 1


def test_the_best_of_several_runs(dlkit, tmp_path, ids):
    assert dlkit("compare", *ids, "--best", "--workspace", tmp_path).out == f"{ids[1]}\n"


def test_a_row_a_run(dlkit, tmp_path, ids):
    rows = list(csv.DictReader(dlkit("compare", *ids, "--csv", "--workspace", tmp_path).out.splitlines()))
    assert [(row["run"], row["trainer.lr"], row["val/mse"]) for row in rows] == [
        (name, str(told["lr"]), str(told["mse"])) for name, told in zip(ids, SEEDS, strict=True)
    ]
    listed = list(csv.DictReader(dlkit("runs", "--csv", "--workspace", tmp_path).out.splitlines()))
    assert {row["run"] for row in listed} == set(ids) and listed[0]["state"] == "completed"
    assert dlkit("runs", "--md", "--workspace", tmp_path).out.startswith("| run | state |")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which runs?"),
        (["--metric", "val/mse", "--task", "toy"], "--metric goes with --group"),
        (["--task", "toy", "--group", ","], "--group needs settings"),
        (["--task", "toy", "--group", "lr", "--metric", "val/mes"], "did you mean 'val/mse'"),
        (["--task", "toy", "--csv", "--json"], "not allowed with"),
    ],
)
def test_what_does_not_go_together(dlkit, tmp_path, ids, words, said):
    found = dlkit("compare", *words, "--workspace", tmp_path)
    assert found.code == 2 and said in found.err


def test_a_mean_over_fewer_runs_than_the_group_has_says_so(dlkit, tmp_path, ids):
    line = {"run": ids[2], "split": "test", "step": 100, "metrics": {"test/mse": 0.25}}
    (tmp_path / "runs" / ids[2] / "evaluations.jsonl").write_text(json.dumps(line) + "\n")
    words = ("compare", *ids, "--group", "lr", "--workspace", tmp_path)
    best, *others = dlkit(*words).out.splitlines()[1:]
    assert "0.25 (n = 1)" in best and best.split()[:2] == ["0.2", "2"]
    assert all(line.split()[-2] == "-" for line in others), "never measured there"
    assert dlkit(*words, "--json").json["groups"][0]["metrics"]["test/mse"]["n"] == 1
