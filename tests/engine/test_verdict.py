"""What a completed run has come to, in its predictor's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.engine.checkpoint import tensors_of
from dlkit.events import Event, Finished, MetricsLogged, Notice
from dlkit.runs.checkpoints import choose
from toy import toy_attempt, toy_resume, toy_run
from toy_parts import ValuesPredictor

SAID = ["a line does", "and well"]


def notices(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice)]


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ValuesPredictor, "verdict", lambda self: SAID)


def test_it_is_said_once_just_before_the_end(speaking: None, tmp_path: Path) -> None:
    events = list(toy_attempt(tmp_path).events())
    assert notices(events)[-2:] == SAID
    assert isinstance(events[-1], Finished) and notices(events[-4:]) == SAID  # where the time went stands between


def test_a_run_that_is_stopped_says_nothing_until_it_is_completed(speaking: None, tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path, epochs=50)
    stream, seen = attempt.events(), list[Event]()
    for event in stream:
        seen.append(event)
        if isinstance(event, MetricsLogged):
            break
    stream.close()  # type: ignore[attr-defined]
    assert not set(SAID) & set(notices(seen))
    assert attempt.run.read()["state"] == "stopped" and "a line does" not in attempt.run.events.read_text()
    assert notices(list(toy_resume(attempt.run).events()))[-2:] == SAID


def test_what_goes_wrong_with_it_is_told_and_the_run_is_completed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(self: ValuesPredictor) -> list[str]:
        raise ZeroDivisionError("nothing to say")

    plain = toy_run(tmp_path / "plain")
    monkeypatch.setattr(ValuesPredictor, "verdict", fails)
    attempt = toy_attempt(tmp_path)
    events = list(attempt.events())
    assert notices(events)[-1] == "no verdict: inference 'values': ZeroDivisionError: nothing to say"
    assert isinstance(events[-1], Finished) and events[-1].status == "completed"
    weights = [tensors_of(choose(run.path, "last"), "model.safetensors") for run in (plain, attempt.run)]
    assert all((weights[0][name] == tensor).all() for name, tensor in weights[1].items())
