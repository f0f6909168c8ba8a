"""``dlkit explain``: verdicts for people and for programs, of runs that ended and of those that go on."""

from __future__ import annotations

from pathlib import Path

from diagnose.planted_runs import toy
from dlkit.runs.folder import RunFolder
from live import live_run
from schemas import check
from toy import toy_run


def test_a_run_that_failed(dlkit, tmp_path: Path) -> None:
    run = toy({"trainer": {"lr": 1e9}}, epochs=9)(tmp_path)
    found = dlkit("explain", "last", "--workspace", tmp_path)
    assert found.code == 0 and not found.err
    lines = found.out.splitlines()
    assert lines[0].startswith(run.id) and "failed" in lines[0]
    assert lines[2].startswith("! diverged at epoch 1")
    assert any(line.startswith("  → dlkit train toy --config") for line in lines)
    assert all(len(line) <= 80 for line in lines if not line.startswith("  →"))
    document = dlkit("explain", run.id, "--workspace", tmp_path, "--json").json
    check("explain", document)
    assert document["verdicts"][0]["name"] == "diverged" and document["headline"].startswith("diverged")


def test_a_run_that_is_well(dlkit, tmp_path: Path) -> None:
    toy_run(tmp_path, epochs=2)
    found = dlkit("explain", "last", "--workspace", tmp_path)
    assert found.code == 0 and "nothing wrong is on record" in found.out


def test_several(dlkit, tmp_path: Path) -> None:
    runs = [toy_run(tmp_path, name=name) for name in ("one", "two")]
    found = dlkit("explain", "one", "two", "--workspace", tmp_path, "--json").json
    check("explain-several", found)
    assert [document["run"] for document in found] == [run.id for run in runs]


def test_a_run_that_goes_on(dlkit, tmp_path: Path) -> None:
    with live_run(tmp_path) as live:
        found = dlkit("explain", live.run.id, "--workspace", tmp_path)
    assert found.code == 0 and "running" in found.out.splitlines()[0]


def test_nothing_is_made_by_it(dlkit, tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    dlkit("explain", "last", "--workspace", tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}


def test_show_has_the_worst_in_a_line(dlkit, tmp_path: Path) -> None:
    run: RunFolder = toy({"trainer": {"lr": 1e9}}, epochs=9)(tmp_path)
    shown = dlkit("show", "last", "--workspace", tmp_path).out
    (line,) = [line for line in shown.splitlines() if line.startswith("verdict")]
    assert "diverged" in line and f"dlkit explain {run.id}" in line
    document = dlkit("show", "last", "--workspace", tmp_path, "--json").json
    check("show", document)
    assert document["verdicts"][0]["name"] == "diverged"


def test_a_folder_with_nothing_in_it(dlkit, tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    run.record.write_text("{")
    run.events.unlink()
    run.config.unlink()
    assert dlkit("explain", str(run.path), "--workspace", tmp_path).code in (0, 1, 2)
