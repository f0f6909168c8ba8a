"""The journal of one attempt: open while the run goes, and of rank 0 alone."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from dlkit.engine import journal
from dlkit.engine.distributed import World
from dlkit.engine.journal import RESERVE_BYTES, Journal
from dlkit.engine.progress import Progress
from dlkit.events import Finished, Spent
from dlkit.runs import opening
from dlkit.runs.log import EventLog, read_events
from toy import toy_attempt
from waiting import LONG

SPENT = Spent(step=0, seconds={"steps": 1.0}, cpu_seconds=1.0)


class Second(World):
    rank, size = 1, 2


def test_room_is_kept_while_it_is_open(tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path)
    reserve = attempt.run.path / ".reserve"
    with Journal(attempt.job, attempt.run, Progress()):
        assert reserve.stat().st_size == RESERVE_BYTES
    assert not reserve.exists()


@pytest.mark.parametrize("status", ["completed", "stopped", "failed"])
def test_room_is_given_up_for_the_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """Whichever end it is that finds the disk full."""
    attempt, append = toy_attempt(tmp_path), EventLog.append
    reserve = attempt.run.path / ".reserve"

    def append_where_there_is_room(log: EventLog, event: Finished) -> Finished:
        if reserve.exists():
            raise OSError(28, "No space left on device")
        return append(log, event)

    monkeypatch.setattr(EventLog, "append", append_where_there_is_room)
    with Journal(attempt.job, attempt.run, Progress()) as kept:
        end = kept.end(status, "", {}, SPENT)
    assert read_events(attempt.run.events) == list(end)


def test_only_rank_0_gives_room_up(tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path)
    with Journal(attempt.job, attempt.run, Progress()):
        Journal(replace(attempt.job, world=Second()), attempt.run, Progress()).free_reserve()
        assert (attempt.run.path / ".reserve").exists()


def test_only_rank_0_writes(tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path)
    before = {path: path.read_bytes() for path in attempt.run.path.rglob("*") if path.is_file()}
    with Journal(replace(attempt.job, world=Second()), attempt.run, Progress()) as kept:
        assert kept.notice("nothing").seq == -1
        kept.update(state="paused")
        assert isinstance(kept.end("completed", "", {}, SPENT)[-1], Finished)
    assert {path: path.read_bytes() for path in attempt.run.path.rglob("*") if path.is_file()} == before


def test_what_cannot_be_opened_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is opened, the machine's thread has begun, and then the disk is full."""
    attempt = toy_attempt(tmp_path)
    closed = []
    monkeypatch.setattr(journal.EventLog, "close", lambda self: closed.append(self))
    monkeypatch.setattr(opening, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"), Journal(attempt.job, attempt.run, Progress()):
        pass
    assert len(closed) == 1
    for thread in [thread for thread in threading.enumerate() if thread.name == "machine-monitor"]:
        thread.join(LONG)
        assert not thread.is_alive()


def test_the_end_is_in_the_log_and_in_run_json(tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path)
    progress = Progress(step=7, best=0.5, best_metrics={"val/mse": 0.5}, metrics={"val/mse": 0.75})
    with Journal(attempt.job, attempt.run, progress) as kept:
        assert not kept.ended
        end = kept.end("stopped", "a test", progress.best_metrics, SPENT)
        assert kept.ended
    assert read_events(attempt.run.events) == list(end)
    record = attempt.run.read()
    assert (record["state"], record["reason"]) == ("stopped", "a test")
    assert {key: record["result"][key] for key in ("step", "total_steps", "last", "best", "metrics")} == {
        "step": 7, "total_steps": 18, "last": 0.75, "best": 0.5, "metrics": {"val/mse": 0.5}
    }  # fmt: skip
