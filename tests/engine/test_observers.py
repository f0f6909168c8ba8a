"""Observers are told of events, and can neither stop nor slow nor change training."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import watcher
from dlkit.engine import loop, observers
from dlkit.runs.log import parse_lines
from outcome import finished, notices, outcome
from toy import finish, toy_attempt, toy_run
from waiting import LONG

WATCHED = ("extras", "watcher")
SLOW = {"loss": {"name": "troubled", "wait": 0.01}}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    watcher.seen.clear()
    watcher.runs.clear()
    yield
    watcher.behaviour = watcher.seen.append


def kinds() -> list[str]:
    return [event["event"] for event in watcher.seen]


def test_every_event_is_told_in_order(tmp_path: Path) -> None:
    run = finish(toy_attempt(tmp_path, plugins=WATCHED))
    logged = list(parse_lines(run.events.read_bytes().splitlines()))
    assert [event["seq"] for event in watcher.seen] == [event.seq for event in logged]
    assert kinds()[0] == "started"
    assert watcher.runs[-1]["id"] == run.id and Path(watcher.runs[-1]["path"]) == run.path
    assert kinds()[-1] == "finished"


def test_nothing_is_told_per_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 60)
    finish(toy_attempt(tmp_path, plugins=WATCHED, epochs=2, eval_every="end", probe_every=0))
    assert kinds().count("metrics") == 2  # twelve steps, and an evaluation


def raises(event: Mapping[str, Any]) -> None:
    watcher.seen.append(event)
    raise ValueError("no thanks")


def leaves(event: Mapping[str, Any]) -> None:
    watcher.seen.append(event)
    raise SystemExit(3)


@pytest.mark.parametrize(("behaviour", "problem"), [(raises, "ValueError: no thanks"), (leaves, "SystemExit: 3")])
def test_one_that_raises_is_switched_off(
    tmp_path: Path, behaviour: Callable[[Mapping[str, Any]], None], problem: str
) -> None:
    watcher.behaviour = behaviour
    attempt = toy_attempt(tmp_path, layer=SLOW, plugins=WATCHED)
    assert notices(attempt.events()) == [f"observer 'watcher' switched off: {problem}"]
    assert len(watcher.seen) == 1
    assert finished(attempt.run).status == "completed"
    assert outcome(attempt.run) == outcome(toy_run(tmp_path))


def test_one_that_is_silent_is_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observers, "SILENCE", 0.05)
    release = threading.Event()
    watcher.behaviour = lambda event: bool(release.wait(600)) and None
    attempt = toy_attempt(tmp_path, layer=SLOW, plugins=WATCHED)
    began = time.monotonic()
    assert notices(attempt.events()) == ["observer 'watcher' switched off: silent for 0.05 s"]
    assert time.monotonic() - began < LONG, "the run does not wait for it, in its end neither"
    release.set()
    assert outcome(attempt.run) == outcome(toy_run(tmp_path))


def test_one_that_falls_behind_is_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observers, "QUEUE", 3)
    release = threading.Event()
    watcher.behaviour = lambda event: bool(release.wait(600)) and None
    attempt = toy_attempt(tmp_path, plugins=WATCHED)
    assert notices(attempt.events()) == ["observer 'watcher' switched off: 3 events behind"]
    release.set()
    assert finished(attempt.run).status == "completed"
