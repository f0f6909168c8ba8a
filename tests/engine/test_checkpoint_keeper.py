"""Which checkpoints are written: the best one always, what was asked for as soon as it displaces no better one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlkit.engine import loop
from dlkit.events import Checkpointed, Event, Notice, Resumed
from dlkit.runs import commands
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import EventLog, read_events
from toy import finish, toy_attempt, toy_resume
from waiting import LONG

EXTRAS = ("extras",)
WORSE: dict[str, Any] = {
    "model": {"name": "linear", "dropout": 0.0},
    "trainer": {"optimizer": "sgd", "lr": 1.2, "momentum": 0.0},
    "loss": {"name": "troubled", "wait": 0.01},
}
"""It diverges: the first evaluation, at step 6 of 18, stays the best."""


@pytest.fixture(autouse=True)
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Until it is set, no checkpoint gets its name."""
    opened, sync = threading.Event(), EventLog.sync

    def wait_and_sync(log: EventLog) -> None:
        if threading.current_thread() is not threading.main_thread():
            assert opened.wait(LONG)
        sync(log)

    monkeypatch.setattr(EventLog, "sync", wait_and_sync)
    yield opened
    opened.set()


def reached(event: Event, step: int) -> bool:
    return getattr(event, "first", -1) >= step


def evaluated(event: Event, step: int) -> bool:
    return reached(event, step) and "val/mse" in getattr(event, "values", ())


def written(run: RunFolder) -> list[Checkpointed]:
    return [event for event in read_events(run.events) if isinstance(event, Checkpointed)]


def with_a_waiting_best(workspace: Path, gate: threading.Event, until: int) -> RunFolder:
    """Three at once: one is being written, the best waits behind it, and another is asked for; until a step."""
    attempt = toy_attempt(workspace, layer=WORSE, plugins=EXTRAS)
    asked = 0
    for event in attempt.events():
        if (asked == 0 and reached(event, 2)) or (asked == 1 and reached(event, 8)):
            commands.append(attempt.run.commands, "checkpoint")
            asked += 1
        if reached(event, until):
            gate.set()
    return attempt.run


def test_a_waiting_best_is_not_displaced_by_one_that_was_asked_for(tmp_path: Path, gate: threading.Event) -> None:
    run = with_a_waiting_best(tmp_path, gate, until=12)
    first, best, postponed, last = written(run)
    assert first.step < 6 and (best.step, best.best) == (6, True)
    assert 12 <= postponed.step < 18, "what was asked for is made when there is room"
    assert last.step == 18
    assert choose(run.path, "best").step == 6


def test_a_waiting_best_is_written_before_the_run_ends(tmp_path: Path, gate: threading.Event) -> None:
    """What was asked for and found no room is the last one, then."""
    run = with_a_waiting_best(tmp_path, gate, until=18)
    assert [event.step for event in written(run)][1:] == [6, 18]
    assert choose(run.path, "best").step == 6


def test_a_better_one_displaces_a_waiting_best(tmp_path: Path, gate: threading.Event) -> None:
    attempt = toy_attempt(tmp_path, layer={"loss": {"name": "troubled", "wait": 0.005}}, plugins=EXTRAS)
    for event in attempt.events():
        if reached(event, 2):
            commands.append(attempt.run.commands, "checkpoint")
        if reached(event, 13):
            gate.set()
    assert next(event.step for event in written(attempt.run) if event.best) == 12


def test_the_best_stays_the_best_when_its_step_is_written_again(tmp_path: Path) -> None:
    """Resumed at the best step, a setting is changed there: the same weights, in another checkpoint of that step."""
    attempt = toy_attempt(tmp_path, layer=WORSE, plugins=EXTRAS)
    stream = attempt.events()
    assert any(evaluated(event, 6) for event in stream)
    stream.close()
    assert [(c.step, c.manifest.best) for c in complete(attempt.run.path)] == [(6, True)]
    resumed = toy_resume(attempt.run, plugins=EXTRAS)
    for event in resumed.events():
        if isinstance(event, Resumed):
            commands.append(attempt.run.commands, "set", "trainer.lr", 1.3)
            commands.append(attempt.run.commands, "checkpoint")
    again = next(c for c in complete(attempt.run.path) if c.step == 6)
    assert again.manifest.settings == {"trainer.lr": 1.3}
    assert again.manifest.best
    assert choose(attempt.run.path, "best").step == 6


def test_one_by_the_clock_is_skipped_while_another_is_being_written(tmp_path: Path, gate: threading.Event) -> None:
    attempt = toy_attempt(tmp_path, layer=WORSE, plugins=EXTRAS, checkpoint_every=0.02, eval_every="never")
    said = []
    for event in attempt.events():
        said += [event.text] if isinstance(event, Notice) else []
        if reached(event, 12):
            gate.set()
    assert "checkpoint skipped: the one before is still being written" in said
    assert written(attempt.run)[-1].step == 18
    assert finish(toy_resume(attempt.run, plugins=EXTRAS, epochs=4)).read()["state"] == "completed"
