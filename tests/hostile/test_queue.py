"""The user's own job starts, whatever else says in the same workspace that it waits."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from dlkit.jobs import scheduler as scheduling
from dlkit.jobs.queue_state import QueueState
from dlkit.runs.removal import delete_run
from hostile.bad_runs import KINDS, BadRun, delete, make_bad_run
from queues import Quick, enqueue, queue
from workers import state

Captured = pytest.CaptureFixture[str]
COUNT = 50


def surround(workspace: Path, names: list[str]) -> list[BadRun]:
    return [
        make_bad_run(workspace, name, number, outside=workspace.parent / "outside")
        for number, name in enumerate(names, 1)
    ]


def unusable() -> list[str]:
    """Kinds whose record says nothing that could be obeyed."""
    return [name for name, kind in KINDS.items() if kind.damaged]


def test_a_job_starts_among_bad_runs(
    workspace: Path, quick: Quick, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "LINGER_SECONDS", 0.0)
    names = unusable()
    names += Random(3).sample(
        [name for name in KINDS if name not in names and KINDS[name].state != "queued"], COUNT - len(names)
    )
    bad = surround(workspace, names)
    run = enqueue(workspace, {"launcher": quick})
    assert queue("list", "--json", workspace=workspace) == 0
    jobs = {job["run"]: job for job in json.loads(capsys.readouterr().out)["jobs"]}
    assert jobs[run.id]["why"] == "starts next"
    for one in bad:
        assert not one.damaged or jobs[one.run.id]["state"] == "damaged", one.kind
        assert one.run.id not in jobs or jobs[one.run.id]["why"]
    assert queue("run", workspace=workspace) == 0
    assert state(run) == "completed"
    delete(workspace / "runs")


def test_the_queue_names_what_it_cannot_read(workspace: Path, quick: Quick, capsys: Captured) -> None:
    bad = surround(workspace, ["run.json is brackets", "job.priority out of range, 3"])
    assert queue("list", workspace=workspace) == 0
    shown = capsys.readouterr().out
    for one in bad:
        assert f"{one.run.id}  damaged" in shown
    assert "more than 100 levels" in shown


def test_what_was_damaged_is_read_again(workspace: Path, plugins: None) -> None:
    """A disk that does not answer, a folder that is being copied: nobody waits for ever because of it."""
    bad = surround(workspace, ["run.json is missing", "run.json is torn"])
    seen = QueueState(workspace)
    seen.refresh()
    assert seen.damaged.keys() == {one.run.id for one in bad}
    assert {seen.state(one.run.id) for one in bad} == {"damaged"}
    for one in bad:
        one.run.record.write_text('{"state": "completed"}')
    seen.refresh()
    assert (seen.damaged, seen.live()) == ({}, [])
    for one in bad:
        delete_run(one.run)
    seen.refresh()
    assert seen.state(bad[0].run.id) == "gone"
