"""A run's folder, and what is said of it: true now, as far as understood, never raised."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlkit.errors import RunError
from dlkit.events import Finished, MetricsLogged, Resumed, Started
from dlkit.runs.folder import FORMAT, RunFolder, create, current_state, new_id, summarise
from dlkit.runs.lock import RunLock
from dlkit.runs.log import EventLog
from dlkit.runs.own import is_own, marks_again
from recorded import record_run
from waiting import LONG

ROOT = Path(__file__).parents[2]
RECORD: dict[str, Any] = {
    "name": "mine",
    "state": "running",
    "created": 5.0,
    "task": "toy",
    "metric": "val/mse",
    "direction": "min",
    "host": socket.gethostname(),
    "device": "cpu",
    "total_steps": 9,
    "components": {"model": {"name": "linear"}, "dataset": {"name": "plane"}},
}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return create(tmp_path / "runs", "toy", "linear", RECORD, 'task = "toy"\n')


@pytest.fixture
def holding(run: RunFolder) -> Iterator[subprocess.Popen[str]]:
    """A process that trains the run, as far as its lock says."""
    code = (
        "import sys, time; from pathlib import Path; from dlkit.runs.lock import RunLock\n"
        "with RunLock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(run.lock)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def write(run: RunFolder, *events: Any) -> None:
    log = EventLog(run.events)
    for event in events:
        log.append(event)
    log.close()


def test_a_new_run_has_its_layout(run: RunFolder) -> None:
    assert re.fullmatch(r"\d{8}-\d{6}-toy-linear-[a-z0-9]{4}", run.id)
    assert sorted(path.name for path in run.path.iterdir()) == ["checkpoints", "config.toml", "run.json", "samples"]
    record = run.read()
    assert record == {"format": FORMAT, "id": run.id, **RECORD, "mark": record["mark"]}
    assert is_own(run.path, record)
    assert [path.name for path in run.path.parent.iterdir()] == [run.id], "nothing half-made is left"


def test_ids_differ_and_sort_by_time() -> None:
    ids = {new_id("toy", "linear") for _ in range(50)}
    assert len(ids) > 45
    assert min(ids)[:15] <= time.strftime("%Y%m%d-%H%M%S", time.gmtime())


def test_what_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        create(tmp_path / "runs", "toy", "linear", {"odd": object()}, "")
    assert list((tmp_path / "runs").iterdir()) == []


def test_changes_are_whole_or_not_at_all(run: RunFolder) -> None:
    new = run.read()
    run.update(state="completed", name="other")
    assert run.read() == {**new, "state": "completed", "name": "other"}
    before = run.record.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        run.update(seconds=float("nan"))
    assert run.record.read_bytes() == before
    assert not list(run.path.glob(".*"))


def test_a_run_is_running_while_its_process_is(run: RunFolder, holding: subprocess.Popen[str]) -> None:
    assert summarise(run).state == "running"
    run.update(state="paused")
    assert summarise(run).state == "paused"
    holding.kill()
    holding.wait()
    deadline = time.monotonic() + LONG
    while summarise(run).state != "interrupted" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert summarise(run).state == "interrupted"


def test_a_run_that_ends_while_one_looks_is_not_interrupted(run: RunFolder) -> None:
    """Its record was read before its last word, its lock looked at after."""
    before = run.read()
    run.update(state="stopped")
    assert before["state"] == "running"
    assert current_state(run, before) == "stopped"


def test_a_run_that_never_said_goodbye_was_interrupted(run: RunFolder) -> None:
    assert summarise(run).state == "interrupted"
    with RunLock(run.lock):
        assert summarise(run).state == "running"


@pytest.mark.parametrize("state", ["completed", "stopped", "failed", "queued"])
def test_an_end_is_believed_whoever_holds_the_lock(run: RunFolder, state: str) -> None:
    run.update(**marks_again(run.path, run.read(), state=state, job={"queued": True}))
    with RunLock(run.lock):
        assert summarise(run).state == state
    assert summarise(run).state == state


def test_of_another_hosts_run_nothing_is_known_but_its_last_event(run: RunFolder) -> None:
    run.update(host="elsewhere")
    assert current_state(run, run.read()) == "unknown, last event 0 s ago"
    write(run, Started(total_steps=9, epoch_steps=3, summary={}))
    os.utime(run.events, (time.time() - 100, time.time() - 100))
    assert re.fullmatch(r"unknown, last event 10\d s ago", summarise(run).state)
    run.update(state="completed")
    assert summarise(run).state == "completed"


def test_a_newer_format_is_shown_and_never_written(run: RunFolder) -> None:
    record = {**run.read(), "format": FORMAT + 1, "state": "completed", "mood": "good"}
    run.record.write_text(json.dumps(record))
    summary = summarise(run)
    assert (summary.state, summary.name, summary.model) == ("completed (newer format)", "mine", "linear")
    with pytest.raises(RunError, match=rf"written by a newer dlkit \(format {FORMAT + 1}\); it stays as it is"):
        run.update(name="other")
    assert json.loads(run.record.read_text()) == record


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe\xff",
        b"null",
        b'{"format": "two", "state": "running"}',
        b'{"components": 7}',
        b'{"components": {"model": "linear"}}',
        b'{"result": 5}',
        b'{"result": ["step"]}',
        b'{"state": "running", "total_steps": "many"}',
        b'{"name": ["a"]}',
        b'{"metric": 5}',
        b'{"created": "today"}',
        b'{"created": 1e999}',
        b'{"result": {"step": "9"}}',
        b'{"result": {"best": "0.1"}}',
        b'{"result": {"metrics": [1]}}',
        b'{"components": {"model": {"name": null}}}',
    ],
)
def test_a_damaged_record_is_said_not_raised(run: RunFolder, content: bytes) -> None:
    run.record.write_bytes(content)
    summary = summarise(run)
    assert (summary.id, summary.state) == (run.id, "damaged")
    assert str(run.record) in summary.reason


def test_a_missing_record_is_damage(run: RunFolder) -> None:
    run.record.unlink()
    assert summarise(run).state == "damaged"


def test_progress_is_read_from_the_log_until_there_is_a_result(run: RunFolder) -> None:
    assert (summarise(run).step, summarise(run).total_steps, summarise(run).best) == (0, 9, None)
    write(
        run,
        Started(total_steps=20, epoch_steps=3, summary={}),
        MetricsLogged(first=1, count=3, values={"train/loss": [3.0, 2.0, 1.0]}),
        MetricsLogged(first=3, count=1, values={"val/mse": [0.25]}),
        MetricsLogged(first=6, count=1, values={"val/mse": [0.5]}),
    )
    found = summarise(run)
    assert (found.step, found.total_steps, found.best, found.last) == (6, 20, 0.25, 0.5)
    assert dict(found.metrics) == {"train/loss": 1.0, "val/mse": 0.5}
    write(run, Resumed(from_step=3, total_steps=40, epoch_steps=3, exact=True))
    found = summarise(run)
    assert (found.step, found.total_steps, found.best, found.last) == (3, 40, 0.25, 0.25)
    run.update(state="completed", result={"step": 40, "best": 0.125, "last": 0.75, "unheard": 1})
    found = summarise(run)
    assert (found.step, found.best, found.last) == (40, 0.125, 0.75)


def test_greater_may_be_better(run: RunFolder) -> None:
    run.update(direction="max")
    write(run, MetricsLogged(first=1, count=2, values={"val/mse": [0.5, 0.25]}))
    assert (summarise(run).best, summarise(run).last) == (0.5, 0.25)


def test_an_end_that_run_json_never_heard_of(run: RunFolder) -> None:
    """Killed between the last line of the log and run.json."""
    end = Finished(run=run.id, status="completed", metrics={}, seconds=1, train_seconds=1, steps=9)
    write(run, MetricsLogged(first=1, count=1, values={"train/loss": [1.0]}), end)
    assert (summarise(run).state, summarise(run).step) == ("interrupted", 9)


def test_summarising_creates_nothing(run: RunFolder) -> None:
    before = sorted(run.path.rglob("*"))
    summarise(run)
    assert sorted(run.path.rglob("*")) == before


UNPARSED = {"deep": b"[" * 200_000, "digits": b'{"created": ' + b"9" * 5000 + b"}", "large": b"{}" + b" " * (1 << 24)}


@pytest.mark.parametrize("record", UNPARSED.values(), ids=UNPARSED)
def test_a_record_that_no_parser_takes_is_a_damaged_run(tmp_path, record):
    run = record_run(tmp_path)
    run.record.write_bytes(record)
    summary = summarise(run)
    assert summary.state == "damaged"
    assert summary.reason.startswith(f"{run.record}: ")
