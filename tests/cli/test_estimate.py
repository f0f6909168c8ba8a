"""``dlkit train --estimate``: what is said, as text and as JSON; the exit code; what a run's record says of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from dlkit.cli.show import main as show
from dlkit.engine.probe.process import Tries
from dlkit.jobs import estimating
from dlkit.present.estimate import compared, in_a_line, told
from dlkit.runs.estimates import Estimate
from dlkit.runs.folder import RunFolder
from probing import Here
from schemas import check
from toy import toy_run

FOUND = Estimate(
    seconds=300.0, starting=4.0, step=0.0123, steps=24_000, tried=160, memory=1_200_000_000, device="cuda:0",
    parts={"preparing": 0.0, "training": 280.0, "evaluations": 15.0, "samples": 0.0, "checkpoints": 3.0, "rest": 2.0},
    device_memory=4_100_000_000, checkpoint=60_000_000, disk=240_000_000, unknown=("early stopping may end it sooner",),
)  # fmt: skip


@pytest.fixture(autouse=True)
def in_this_process(tmp_path: Path, toy_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimating, "SECONDS", 0.05)
    monkeypatch.setattr(estimating, "child", lambda workspace, **how: Here(Tries(workspace, **how)))


def test_what_it_will_take(dlkit, tmp_path):
    found = dlkit("train", "toy", "--estimate", "--device", "cpu", "--workspace", tmp_path / "workspace")
    lines = found.out.splitlines()
    assert found.code == 0 and lines[0].startswith("time    about ") and "18 steps of" in lines[0]
    assert any(line.startswith("memory  ") for line in lines) and any("with checkpoints of" in line for line in lines)
    assert not (tmp_path / "workspace").exists()
    as_json = dlkit("train", "toy", "--estimate", "--device", "cpu", "--workspace", tmp_path / "workspace", "--json")
    check("estimate", as_json.json)
    assert as_json.json["fits"] and as_json.json["steps"] == 18 and as_json.json["free_disk"] > 0


def test_what_does_not_fit_exits_with_1(dlkit, tmp_path, monkeypatch):
    full = Estimate(fits=False, problem="out of memory (in training)", advice=["--batch-size 8: try that"])
    monkeypatch.setattr("dlkit.cli.estimate.estimate", lambda *_, **__: full)
    found = dlkit("train", "toy", "--estimate", "--workspace", tmp_path)
    assert found.code == 1
    assert found.out.splitlines() == [
        "does not fit: out of memory (in training)", "what to change:", "  --batch-size 8: try that"
    ]  # fmt: skip
    as_json = dlkit("train", "toy", "--estimate", "--workspace", tmp_path, "--json")
    check("estimate", as_json.json)
    assert as_json.code == 1 and not as_json.json["fits"] and as_json.json["seconds"] is None


def test_it_starts_nothing(dlkit, tmp_path):
    for words in (["--queue"], ["--detach"], ["--name", "first"]):
        found = dlkit("train", "toy", "--estimate", *words, "--workspace", tmp_path)
        assert found.code == 2 and f"--estimate trains nothing: {words[0]} does not go with it" in found.err
    assert "its plan says what it takes" in dlkit("study", "toy", "--seeds", "2", "--estimate").err


def test_in_words() -> None:
    assert told(FOUND, 200_000_000) == [
        "time    about 5:04: 4.0 s until it begins, then 5:00 for 24 000 steps of 12.3 ms (160 tried)",
        "        training 4:40, evaluations 15 s, checkpoints 3.0 s, rest 2.0 s",
        "memory  1.2 GB, and 4.1 GB of cuda:0",
        "disk    240.0 MB at most, with checkpoints of 60.0 MB; 200.0 MB are free, which does not suffice",
        "note    early stopping may end it sooner",
    ]
    assert in_a_line(dataclasses.replace(FOUND, unknown=())) == (
        "about 5:04, 1.2 GB of memory and 4.1 GB of the device's, 240.0 MB on the disk"
    )
    half = FOUND.after(12_000)
    assert (half.seconds, half.steps, half.parts["training"], half.memory) == (150.0, 12_000, 140.0, FOUND.memory)
    assert FOUND.after(30_000).seconds == 0.0 and Estimate().after(3) == Estimate()
    nobody_knows = Estimate(starting=4.0, memory=1_000_000, unknown=("its preparation takes long",))
    assert in_a_line(nobody_knows) == "how long is not known, 1.0 MB of memory (its preparation takes long)"
    assert told(nobody_knows)[0] == "time    not known; 4.0 s until it begins"


def test_a_run_says_how_near_the_estimate_was(tmp_path, capsys):
    run = RunFolder(toy_run(tmp_path).path)
    run.update(estimate=FOUND.record())
    capsys.readouterr()
    assert show([str(run.path)]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("time"))
    assert " s (estimated: 5:00, which is " in line and line.endswith(" % more)")
    assert show([str(run.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["record"]["estimate"]["memory"] == 1_200_000_000


def test_compared_in_words() -> None:
    assert compared({"seconds": 180.0}, 190.0, ended=True) == "estimated: 3:00, which is 5 % less"
    assert compared({"seconds": 180.0}, 180.1, ended=True) == "estimated: 3:00"
    assert compared({"seconds": 180.0}, 20.0, ended=False) == "estimated: 3:00"
    assert compared({"seconds": None}, 20.0, ended=True) == ""
