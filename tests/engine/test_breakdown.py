"""Where the time goes: every kind is counted where it belongs, and together they are the time that has passed."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import pytest

from dlkit.engine import breakdown
from dlkit.engine.breakdown import KINDS, Breakdown, Stretch
from dlkit.events import Event, Finished, Notice, Resumed, Spent, from_record
from dlkit.runs.log import read_events
from outcome import close_at
from toy import finish, toy_attempt, toy_resume, toy_run
from workers import all_events


def last_spent(events: list[Event]) -> Spent:
    return [event for event in events if isinstance(event, Spent)][-1]


def told(kept: Breakdown) -> dict[str, float]:
    return dict(kept.told(0, -1).seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands: tests move it."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_what_is_inside_counts_for_itself_alone(clock: list[float]) -> None:
    kept = Breakdown()
    clock[0] += 1
    with kept.on("evaluation"):
        clock[0] += 2
        with kept.on("sampling"):
            clock[0] += 4
        clock[0] += 8
    clock[0] += 16
    found = told(kept)
    assert set(found) == set(KINDS)
    assert {kind: seconds for kind, seconds in found.items() if seconds} == {
        "evaluation": 10, "sampling": 4, "other": 17
    }  # fmt: skip


def test_a_stretch_of_steps_is_divided(clock: list[float]) -> None:
    kept = Breakdown()
    clock[0] += 10
    kept.stepped(Stretch(8, loading=4, augmenting=1, device=2))
    assert {kind: seconds for kind, seconds in told(kept).items() if seconds} == {
        "loading": 3, "augmenting": 1, "device": 2, "steps": 2, "other": 2
    }  # fmt: skip


def test_whoever_gets_the_events_takes_its_own_time(clock: list[float]) -> None:
    kept = Breakdown()

    def inner() -> Generator[Event, None, None]:
        with kept.on("evaluation"):
            clock[0] += 1
            try:
                yield Notice(step=0, text="one")
            except ValueError:
                clock[0] += 2
            yield Notice(step=0, text="two")

    events = kept.handing_out(inner())
    next(events)
    clock[0] += 5
    events.throw(ValueError())
    clock[0] += 5
    assert list(events) == []
    assert (told(kept)["evaluation"], told(kept)["other"]) == (3, 10)


def test_it_is_told_after_evaluations_and_now_and_then(clock: list[float]) -> None:
    kept = Breakdown()
    assert not kept.due(-1)
    clock[0] += breakdown.AT_LEAST
    assert (kept.due(-1), kept.due(6)) == (False, True)
    kept.told(6, 6)
    clock[0] += breakdown.AT_LEAST
    assert not kept.due(6)
    clock[0] += breakdown.AT_MOST
    assert kept.due(6)


EXTRAS = ("extras",)
SLOW = {"loss": {"name": "troubled", "wait": 0.005}, "model": {"name": "linear", "dropout": 0.0}}


def test_every_attempt_says_where_its_time_went(tmp_path: Path) -> None:
    began = time.monotonic()
    run = close_at(toy_attempt(tmp_path, layer=SLOW, plugins=EXTRAS, epochs=10), 13)
    between = time.monotonic()
    finish(toy_resume(run, EXTRAS))
    ended = time.monotonic()
    events = all_events(run)
    first, second = (event for event in events if isinstance(event, Spent))
    kinds = [type(event) for event in events]
    assert kinds[kinds.index(Spent) + 1] is Finished, "before the end, however short it is"
    assert kinds.index(Resumed) > kinds.index(Spent)
    for event, limit in (first, between - began), (second, ended - between):
        assert 0 < sum(event.seconds.values()) <= limit
        assert event.seconds["steps"] >= 0.005 * (13 if event is first else 60 - first.step)
        assert event.cpu_seconds >= 0 and event.machine["cores"] >= event.machine["usable"] >= 1


def test_kinds_add_up_to_what_the_run_took(tmp_path: Path) -> None:
    """Within 0.05 s of ``Finished.seconds``, which the same clock has measured otherwise."""
    run = finish(toy_attempt(tmp_path, layer=SLOW, plugins=EXTRAS))
    events = read_events(run.events)
    end = [event for event in events if isinstance(event, Finished)][-1]
    spent = last_spent(events)
    assert sum(spent.seconds.values()) == pytest.approx(end.seconds, abs=0.05)
    trained = sum(spent.seconds[kind] for kind in ("loading", "augmenting", "steps", "device"))
    assert trained == pytest.approx(end.train_seconds, abs=0.002)
    assert spent.seconds["steps"] >= 18 * 0.005
    assert spent.seconds["evaluation"] > 0 and spent.seconds["sampling"] > 0 and spent.seconds["checkpoints"] > 0


def test_augmentation_is_told_apart(tmp_path: Path) -> None:
    layer = {"dataset": {"name": "plane", "jitter": 0.5}}
    assert last_spent(read_events(toy_run(tmp_path, layer=layer).events)).seconds["augmenting"] > 0
    assert last_spent(read_events(toy_run(tmp_path).events)).seconds["augmenting"] == 0


@pytest.mark.parametrize("bad", [{"seconds": {"steps": "long"}}, {"seconds": 4}, {"machine": {"load": []}}])
def test_a_damaged_line_is_no_event(bad: dict[str, object]) -> None:
    line = {"event": "spent", "step": 1, "seconds": {"steps": 1.0, "unheard of": 2.0}, "cpu_seconds": 1.0}
    assert isinstance(from_record(line), Spent)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="spent"):
        from_record({**line, **bad})  # type: ignore[dict-item]
