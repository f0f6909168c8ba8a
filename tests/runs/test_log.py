"""The event log: append-only, repaired after a torn line, and read through one function."""

from __future__ import annotations

import json
import math
import os
import resource
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.events import (
    Checkpointed,
    Event,
    Finished,
    MetricsLogged,
    Notice,
    Resumed,
    Sampled,
    SampleRef,
    Started,
    last_of,
    steps_of,
    to_json,
)
from dlkit.runs.log import EventLog, effective, history, parse_lines, read_events, tail_events


def metrics(first: int, values: list[float], every: int = 1, name: str = "train/loss") -> MetricsLogged:
    return MetricsLogged(first=first, count=len(values), every=every, values={name: values})


def resumed(step: int) -> Resumed:
    return Resumed(from_step=step, total_steps=99, epoch_steps=9, exact=True)


def finished(status: str = "stopped", steps: int = 0) -> Finished:
    return Finished(run="r", status=status, metrics={}, seconds=1.0, train_seconds=0.5, steps=steps)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def write(path: Path, *events: Event) -> None:
    log = EventLog(path)
    for event in events:
        log.append(event)
    log.close()


ALL = [
    Started(total_steps=9, epoch_steps=3, summary={"model": {"layers": [1, 2]}}),
    metrics(1, [0.5, math.nan, math.inf, -math.inf]),
    Sampled(step=2, samples=[SampleRef(kind="table", name="rows", title="Zeilen äöü", file="samples/a.json")]),
    Checkpointed(step=2, folder="checkpoints/step-00000002", best=True, seconds=0.1),
    Notice(step=3, text="line\nbreak   and \0"),
    resumed(4),
    Finished(run="r", status="failed", metrics={"a": math.nan}, seconds=1.0, train_seconds=1.0, steps=4, reason="why"),
]


def test_events_survive(path: Path) -> None:
    log = EventLog(path)
    appended = [log.append(event) for event in ALL]
    log.sync()
    log.close()
    assert [event.seq for event in appended] == list(range(len(ALL)))
    assert all(event.time > 0 for event in appended)
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == len(ALL), "one line each"
    assert [to_json(event) for event in parse_lines(lines)] == [to_json(event) for event in appended]


def test_lines_are_strict_json(path: Path) -> None:
    write(path, *ALL)
    for line in path.read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)
    assert json.loads(path.read_text().splitlines()[1])["values"] == {"train/loss": [0.5, "nan", "inf", "-inf"]}


def test_numbering_goes_on_over_attempts(path: Path) -> None:
    for _ in range(3):
        write(path, *ALL)
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == list(range(3 * len(ALL)))


@given(cut=st.integers(2, 200))
@settings(deadline=None)
def test_a_torn_last_line_is_cut_off_by_the_next_writer(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.getbasetemp() / "events.jsonl"
    path.unlink(missing_ok=True)
    write(path, metrics(1, [1.0]), metrics(2, [2.0]), Notice(step=2, text="x" * 150))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut])
    kept = whole[: len(whole) - cut].rpartition(b"\n")[0]
    assert len(read_events(path)) == len(kept.splitlines()), "readers pass over it"
    write(path, metrics(3, [3.0]))
    events = read_events(path)
    assert path.read_bytes().startswith(kept)
    assert [event.seq for event in events] == list(range(len(events)))
    assert history(events, "train/loss")[0][-1] == 3


@pytest.mark.parametrize("content", [b"", b"{", b"x" * 100_000, b"\0" * 5000])
def test_a_log_without_a_whole_line_begins_anew(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    write(path, Notice(step=0, text="first"))
    assert [event.seq for event in read_events(path)] == [0]


@pytest.mark.parametrize("garbage", [b"\0\0\0\n", b"{}\n", b"[1]\n", b"nonsense\n"])
def test_a_last_line_that_is_no_event_does_not_stop_the_next_writer(path: Path, garbage: bytes) -> None:
    write(path, metrics(1, [1.0]), metrics(2, [2.0]))
    path.write_bytes(path.read_bytes() + garbage)
    write(path, metrics(3, [3.0]))
    assert [event.seq for event in read_events(path)] == [0, 1, 2]


def test_a_line_longer_than_any_block_is_read_and_torn(path: Path) -> None:
    write(path, metrics(1, [0.123456789] * 100_000))
    size = path.stat().st_size
    write(path, metrics(100_001, [0.5] * 300_000))
    path.write_bytes(path.read_bytes()[:-1])
    write(path, Notice(step=1, text="after"))
    assert path.read_bytes()[:size].count(b"\n") == 1
    assert [event.seq for event in read_events(path)] == [0, 1]


def test_what_a_newer_version_wrote_is_passed_over(path: Path) -> None:
    write(path, metrics(1, [1.0]))
    with path.open("a") as file:
        file.write('{"event":"teleported","seq":1,"time":1.0,"step":5}\n')
        file.write(
            '{"event":"metrics","seq":2,"time":1.0,"first":2,"count":1,"values":{"train/loss":[2.0]},"colour":"red"}\n'
        )
        file.write('{"event":"metrics","seq":3}\n')
    assert history(read_events(path), "train/loss") == ([1, 2], [1.0, 2.0])
    write(path, metrics(3, [3.0]))
    assert read_events(path)[-1].seq == 4


def test_a_write_that_fails_leaves_the_log_as_it_was(path: Path) -> None:
    log = EventLog(path)
    log.append(metrics(1, [1.0]))
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            log.append(metrics(2, [2.0]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert log.append(metrics(2, [2.0])).seq == 1
    log.close()


def test_reading_creates_nothing(tmp_path: Path) -> None:
    assert read_events(tmp_path / "events.jsonl") == []
    assert tail_events(tmp_path / "events.jsonl") == []
    assert list(tmp_path.iterdir()) == []


def test_a_writer_appends_whatever_others_do(path: Path) -> None:
    """O_APPEND: a reader that copies or looks at the log cannot move where the next line goes."""
    log = EventLog(path)
    log.append(metrics(1, [1.0]))
    os.lseek(log._descriptor, 0, os.SEEK_SET)
    log.append(metrics(2, [2.0]))
    log.close()
    assert history(read_events(path), "train/loss") == ([1, 2], [1.0, 2.0])


# Resumed runs


ATTEMPTS = st.lists(
    st.tuples(
        st.integers(1, 25),  # steps made
        st.integers(0, 25),  # steps between its last checkpoint and its end
        st.lists(st.integers(1, 7), min_size=1, max_size=6),  # sizes of its flushes, over and over
        st.booleans(),  # whether it said goodbye
    ),
    min_size=1,
    max_size=6,
)


def attempt_log(begin: int, end: int, flushes: list[int]) -> list[Event]:
    """What an attempt from one step to another writes: losses, every third step a rate, every fourth a value."""
    events: list[Event] = []
    step, turn = begin, 0
    while step < end:
        size = min(flushes[turn % len(flushes)], end - step)
        steps = list(range(step + 1, step + size + 1))
        events.append(metrics(steps[0], [float(s) for s in steps]))
        thirds = [s for s in steps if s % 3 == 0]
        if thirds:
            events.append(metrics(thirds[0], [float(s) for s in thirds], every=3, name="lr"))
        if steps[-1] % 4 == 0:
            events.append(metrics(steps[-1], [steps[-1] * 2.0], name="val/loss"))
            events.append(Sampled(step=steps[-1], samples=[]))
            events.append(Checkpointed(step=steps[-1], folder="", best=False, seconds=0))
        step, turn = step + size, turn + 1
    return events


@given(attempts=ATTEMPTS)
def test_every_value_occurs_exactly_once_however_often_a_run_was_killed(attempts: Any) -> None:
    log: list[Event] = [Started(total_steps=200, epoch_steps=9, summary={})]
    reached = checkpoint = 0
    for number, (made, lost, flushes, goodbye) in enumerate(attempts):
        if number:
            log.append(resumed(checkpoint))
        reached = checkpoint + made
        log += attempt_log(checkpoint, reached, flushes)
        if goodbye:
            log.append(finished(steps=reached))
        checkpoint = max(checkpoint, reached - lost)
    kept = effective(log)
    assert history(kept, "train/loss") == (list(range(1, reached + 1)), [float(s) for s in range(1, reached + 1)])
    thirds = [s for s in range(1, reached + 1) if s % 3 == 0]
    assert history(kept, "lr") == (thirds, [float(s) for s in thirds])
    for kind in (Sampled, Checkpointed):
        steps = [event.step for event in kept if isinstance(event, kind)]
        assert steps == sorted(set(steps)), "none twice, none out of order"
        assert all(step <= reached for step in steps)
    values = history(kept, "val/loss")[0]
    assert values == sorted(set(values))
    assert sum(isinstance(event, Finished) for event in kept) <= 1
    assert sum(isinstance(event, Started) for event in kept) == 1
    assert effective(kept) == kept, "applying it again changes nothing"


def test_a_resume_from_the_beginning_voids_all_steps() -> None:
    kept = effective([Started(total_steps=9, epoch_steps=3, summary={}), *attempt_log(0, 8, [3]), resumed(0)])
    assert [event.event for event in kept] == ["started", "resumed"]


def test_the_end_of_a_long_log_is_read_alone(path: Path) -> None:
    write(path, *(metrics(i, [float(i)]) for i in range(1, 400)))
    tail = tail_events(path, size=2000)
    assert 5 < len(tail) < 40
    assert [event.seq for event in tail] == list(range(399 - len(tail), 399))
    assert tail_events(path) == read_events(path)


# The steps of a line of metrics


@given(first=st.integers(0, 40), count=st.integers(1, 9), every=st.integers(1, 5), step=st.integers(-1, 90))
def test_until_a_step(first: int, count: int, every: int, step: int) -> None:
    event = metrics(first, [float(i) for i in range(count)], every)
    kept = event.until(step)
    points = [point for point in event.points("train/loss") if point[0] <= step]
    assert points == ([] if kept is None else list(kept.points("train/loss")))
    assert kept is None or (len(kept.steps), kept.last_step) == (kept.count, points[-1][0])


def test_a_parsed_line_has_the_steps_of_its_event() -> None:
    event = metrics(3, [1.0, 2.0, 3.0], every=2)
    assert steps_of(json.loads(to_json(event))) == event.steps == range(3, 9, 2)
    assert last_of(event.steps) == event.last_step == 7
    assert steps_of({"first": 3, "count": 2, "values": {}}) == range(3, 5)


DAMAGED: list[dict[str, Any]] = [
    {"every": 0}, {"first": "x"}, {"count": None}, {"count": 200_000_000}, {"first": -1}, {"first": 1 << 60},
    {"every": 1 << 60}, {"count": True}, {"values": {"a": [1.0, 2.0]}}, {"values": {"a": ["x"]}},
    {"values": {"a": 1.0}}, {"time": 1e300}, {"seq": 10**30}, {"values": [1.0]},
]  # fmt: skip


@pytest.mark.parametrize("fields", DAMAGED, ids=str)
def test_a_line_without_steps_is_passed_over(path: Path, fields: dict[str, Any]) -> None:
    line = {"event": "metrics", "seq": 0, "first": 1, "count": 1, "values": {"a": [1.0]}, **fields}
    path.write_text(json.dumps(line) + "\n")
    told: list[str] = []
    assert read_events(path, told.append) == []
    assert told[0].startswith(f"{path}: 1 damaged line is left out (")


def test_the_time_left_was_called_clock() -> None:
    line = {"event": "metrics", "first": 1, "count": 1, "values": {"a": [1.0]}, "clock": 60.0}
    (event,) = parse_lines([json.dumps(line).encode()])
    assert isinstance(event, MetricsLogged) and event.time_left == 60.0
    assert '"time_left":60.0' in to_json(event)
