"""Asking something of a job: who can be asked, what is waited for, and what is said of it once."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dlkit.errors import RunError
from dlkit.events import Commanded, Resumed
from dlkit.jobs.requests import Answer, Pending, Refused, Request, refusal, send
from dlkit.runs import commands
from dlkit.runs.folder import FORMAT, RunFolder, create
from dlkit.runs.log import EventLog
from toy import toy_run
from waiting import LONG

ALIVE = {"pid": os.getpid()}
GONE = {"pid": 2**22 + 1}
WAITS: dict[str, Any] = {"job": {"queued": True}}
BEGINS: dict[str, Any] = {"job": {"queued": False}}


@pytest.mark.parametrize(
    ("state", "record", "action", "kind"),
    [
        ("running", ALIVE, "pause", None),
        ("paused", ALIVE, "unpause", None),
        ("running", {}, "pause", "starting"),
        ("running", GONE, "pause", "starting"),
        ("running", {"pid": "no number"}, "pause", "starting"),
        ("running", {}, "stop", None),
        ("unknown, last event 3 s ago", {}, "pause", None),
        ("queued", WAITS, "stop", "queued"),
        ("queued", {}, "stop", "queued"),
        ("queued", BEGINS, "stop", "starting"),
        ("completed", {}, "stop", "completed"),
        ("interrupted", {}, "stop", "interrupted"),
        ("stopped", {}, "set", "ended"),
        ("failed", {}, "sample", "ended"),
        ("damaged", {}, "stop", "gone"),
        ("removed", {}, "stop", "gone"),
        ("", {}, "stop", "gone"),
        ("running (newer format)", {}, "stop", "newer"),
        ("completed", {"format": FORMAT + 1}, "stop", "newer"),
    ],
)
def test_who_can_be_asked(state: str, record: dict[str, Any], action: str, kind: str | None) -> None:
    found = refusal(state, record, action)
    assert (found and found.kind) == kind
    assert found is None or found.state == state


def test_an_answer_is_given_once_and_a_silence_said_once() -> None:
    pending = Pending()
    pending.sent("a", "pause", deadline=10.0)
    pending.sent("b", "sample", deadline=15.0)
    answer = Commanded(step=1, action="pause", id="a")
    assert pending.overdue(9.0) == []
    assert pending.overdue(11.0) == ["pause"]
    assert pending.overdue(12.0) == [], "said once"
    assert pending.answered([answer]) == [answer], "late is better than never"
    assert pending.answered([answer]) == []
    assert pending.answered([Commanded(step=1, action="stop", id="somebody else's")]) == []
    pending.drop()
    assert pending.overdue(100.0) == []


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"commands\.jsonl cannot be written: No such file"):
        send(RunFolder(tmp_path / "absent"), "stop")


def test_a_run_that_has_ended_is_refused_and_told_nothing(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    with pytest.raises(Refused, match="is completed, not running") as error:
        Request(run, "pause").send()
    assert error.value.refusal == ("completed", "completed")
    assert not run.commands.exists()


@pytest.fixture
def going(tmp_path: Path) -> RunFolder:
    """A run that another host says it trains: that is believed while its log is young."""
    record = {"state": "running", "host": "elsewhere", "task": "toy", **ALIVE}
    run = create(tmp_path / "runs", "toy", "linear", record, "")
    run.events.write_bytes(b"")
    return run


def test_nobody_answers_in_time(going: RunFolder) -> None:
    said: list[str] = []
    request = Request(going, "pause", timeout=0.2, say=said.append)
    assert request.send() == Answer()
    assert [command.id for command in commands.read(going.commands)[0]] == [request.id]
    assert said == [f"{going.id} runs on elsewhere: the command goes there through the shared folder"]


def test_a_job_on_another_host_that_is_silent_is_not_asked(going: RunFolder) -> None:
    os.utime(going.events, (0, 0))
    with pytest.raises(RunError, match=r"says it runs on elsewhere, and last told something .* s ago: do this there"):
        Request(going, "pause").send()
    assert not going.commands.exists()
    going.update(state="paused")
    Request(going, "unpause", timeout=0.0).send()
    assert going.commands.exists(), "a paused job has nothing to tell"


def answer_later(run: RunFolder, *, begins: bool) -> threading.Thread:
    """A job that answers the newest command, after saying that it resumed, if it ``begins``."""

    def work() -> None:
        writer = EventLog(run.events)
        deadline = time.monotonic() + LONG
        seen: list[commands.Command] = []
        while not seen and time.monotonic() < deadline:
            time.sleep(0.01)
            seen = commands.read(run.commands)[0]
        if begins:
            writer.append(Resumed(from_step=0, total_steps=10, epoch_steps=5, exact=True))
            while len(seen) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
                seen = commands.read(run.commands)[0]
        writer.append(Commanded(step=4, action="stop", id=seen[-1].id))
        writer.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize("begins", [False, True])
def test_a_command_is_answered_and_given_again_to_a_job_that_begins_meanwhile(going: RunFolder, begins: bool) -> None:
    thread = answer_later(going, begins=begins)
    request = Request(going, "stop")
    answer = request.send()
    thread.join()
    assert answer.event is not None
    assert (answer.event.id, answer.event.step) == (request.id, 4)
    assert len(commands.read(going.commands)[0]) == 1 + begins
