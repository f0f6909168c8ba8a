"""A run followed: the view holds what ``effective`` says of the whole log, however the log came."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlkit.events import (
    Checkpointed,
    Commanded,
    Event,
    Finished,
    Machine,
    MetricsLogged,
    Notice,
    Resumed,
    Sampled,
    SampleRef,
    Started,
    to_json,
)
from dlkit.monitor import view as views
from dlkit.monitor.log_state import MACHINE_SECONDS, LogState
from dlkit.monitor.view import RunView, follow_run
from dlkit.runs.folder import RunFolder, create
from dlkit.runs.log import EventLog, effective, history, parse_lines
from hostile.bad_runs import EVENTS, HUGE
from toy import toy_run

RUBBISH = [b"", b"{", b"null", b"[1]", b'"text"', b"\xff\xfe\x00", b"{}", b'{"event":"metrics"}', b"[" * 100_000,
           b'{"event":"metrics","first":1,"count":1,"every":0,"values":{"a":[1.0]}}',
           b'{"event":"metrics","first":1,"count":2,"values":{"a":[1.0,[2.0]]},"seq":3}',
           b'{"event":"metrics","first":"x","count":1,"values":{"a":[1.0]},"time":"now"}',
           b'{"event":"metrics","first":1,"count":1,"values":{"a":["high"]}}',
           b'{"event":"metrics","first":1,"count":1,"values":[1.0]}',
           b'{"event":"machine","time":"noon","step":1,"cpu":1,"memory":1,"processes":1}',
           b'{"event":"resumed","from_step":"back","total_steps":1,"epoch_steps":1,"exact":true}',
           b'{"event":"notice","step":null,"text":"?"}', b'{"event":"from the future","x":1}', b"{},{}",
           b'{"event":"notice","step":"\\ud800"}']  # fmt: skip

steps = st.integers(0, 60)
values = st.lists(st.floats(width=32), min_size=1, max_size=8)


@st.composite
def metrics(draw: st.DrawFn) -> MetricsLogged:
    count = draw(st.integers(1, 8))
    names = draw(st.lists(st.sampled_from(["train/loss", "val/loss", "lr", "ünï"]), max_size=3, unique=True))
    columns = {name: draw(st.lists(st.floats(width=32), min_size=count, max_size=count)) for name in names}
    return MetricsLogged(first=draw(steps), count=count, every=draw(st.integers(1, 5)), values=columns)


def one(cls: type[Event], **fields: Any) -> st.SearchStrategy[Event]:
    return st.builds(cls, **fields)


events = st.lists(
    st.one_of(
        metrics(),
        metrics(),
        one(Started, total_steps=steps, epoch_steps=steps, summary=st.just({})),
        one(Sampled, step=steps, samples=st.just([SampleRef(kind="text", name="n", title="t", file="f")])),
        one(Checkpointed, step=steps, folder=st.just("c"), best=st.booleans(), seconds=st.just(0.1)),
        one(Notice, step=steps, text=st.just("so")),
        one(Commanded, step=steps, action=st.just("pause")),
        one(Machine, step=steps, cpu=st.just(1.0), memory=st.just(1), processes=st.just(1)),
        one(Finished, run=st.just("r"), status=st.just("stopped"), metrics=st.just({"a": math.nan}),
            seconds=st.just(1.0), train_seconds=st.just(1.0), steps=steps),
        st.builds(Resumed, from_step=steps, total_steps=steps, epoch_steps=steps, exact=st.just(True),
                  from_seq=st.one_of(st.just(-1), st.integers(0, 30))),
    ),
    max_size=30,
)  # fmt: skip


def lines_of(found: Sequence[Event]) -> list[bytes]:
    """The events as the log numbers them."""
    records = [json.loads(to_json(event)) | {"seq": i, "time": 100.0 + i} for i, event in enumerate(found)]
    return [json.dumps(record, ensure_ascii=False).encode() for record in records]


def assert_holds(seen: Any, lines: Sequence[bytes], names: Sequence[str]) -> None:
    """``seen`` (a LogState) shows what holds of the lines."""
    kept = effective(parse_lines(lines))
    expected = {name for e in kept if isinstance(e, MetricsLogged) for name in e.values}
    assert set(names) == expected
    for name in expected:
        course = sorted(zip(*history(kept, name), strict=True), key=lambda point: point[0])
        series = seen.history.series(name)
        np.testing.assert_array_equal(series.steps, [step for step, _ in course])
        np.testing.assert_array_equal(series.values, [value for _, value in course])
    rest = [e for e in kept if not isinstance(e, (MetricsLogged, Machine))]
    assert [json.loads(to_json(e)) for e in seen.events] == [json.loads(to_json(e)) for e in rest]
    assert len(seen.machine) == sum(isinstance(e, Machine) for e in kept)


@given(events, st.lists(st.integers(1, 12), min_size=1, max_size=10), st.data())
@settings(max_examples=150, deadline=None)
def test_equals_effective(found: list[Event], portions: list[int], data: st.DataObject) -> None:
    """In portions of any size, and with rubbish between the lines."""
    lines = lines_of(found)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(lines)))
        lines.insert(place, data.draw(st.sampled_from(RUBBISH)))
    log_state = LogState()
    left = list(lines)
    while left:
        count = portions[len(left) % len(portions)]
        log_state.feed(left[:count])
        left = left[count:]
    sound = [line for line in lines if line not in RUBBISH]
    assert_holds(log_state, sound, log_state.history.names)


@given(events, st.lists(st.integers(1, 400), min_size=1, max_size=10))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_file_in_chunks(tmp_path: Path, found: list[Event], chunks: list[int]) -> None:
    """The log grows by bytes that end anywhere; every poll in between leaves whole lines only."""
    run = RunFolder(Path(tempfile.mkdtemp(dir=tmp_path)))
    run.record.write_text('{"format": 1, "state": "stopped"}')
    lines = lines_of(found)
    data, view, i = b"".join(line + b"\n" for line in lines), RunView(run), 0
    with run.events.open("ab", buffering=0) as file:
        while data:
            count = chunks[i % len(chunks)]
            file.write(data[:count])
            data, i = data[count:], i + 1
            view.poll()
    view.poll()
    assert_holds(view._log_state, lines, view.names)
    kept = effective(parse_lines(lines))
    assert [e.seq for e in view.sampled] == [e.seq for e in kept if isinstance(e, Sampled)]
    assert [e.seq for e in view.checkpoints] == [e.seq for e in kept if isinstance(e, Checkpointed)]
    ends = [e.seq for e in kept if isinstance(e, Finished)]
    assert view.finished is None if not ends else view.finished is not None and view.finished.seq == ends[-1]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    record = {"state": "stopped", "task": "toy", "metric": "val/mse", "direction": "min", "host": "elsewhere"}
    return create(tmp_path / "runs", "toy", "linear", record, "")


def record(run: RunFolder, *found: Event) -> None:
    log = EventLog(run.events)
    for event in found:
        log.append(event)
    log.close()


def batch(first: int, *values: float) -> MetricsLogged:
    return MetricsLogged(first=first, count=len(values), values={"train/loss": values}, epoch=2, rate=50.0)


def test_snapshots_never_change(run: RunFolder) -> None:
    """Neither by what is appended nor by a resume."""
    view = RunView(run)
    record(run, batch(1, 1.0, 2.0, 3.0))
    view.poll()
    before = view.series("train/loss")
    record(run, Resumed(from_step=1, total_steps=9, epoch_steps=3, exact=True), batch(2, 7.0, 8.0))
    view.poll()
    assert before.values.tolist() == [1.0, 2.0, 3.0]
    assert view.series("train/loss").values.tolist() == [1.0, 7.0, 8.0]
    assert view.metrics == {"train/loss": 8.0}
    with pytest.raises(ValueError, match="read-only"):
        before.values[0] = 0.0
    with pytest.raises(KeyError):
        view.series("val/loss")


def test_progress(run: RunFolder) -> None:
    view = RunView(run)
    record(run, Started(total_steps=90, epoch_steps=30, summary={"device": "cpu"}), batch(1, 1.0, 2.0))
    assert view.poll()
    assert (view.step, view.total_steps, view.epoch, view.rate) == (2, 90, 2, 50.0)
    assert view.summary == {"device": "cpu"}
    assert 0 < view.started <= view.updated
    record(run, MetricsLogged(first=2, count=1, values={"val/mse": [math.inf]}, epoch=2))
    assert view.poll()
    assert view.rate == 50.0, "an evaluation has no rate"
    assert view.metrics["val/mse"] == math.inf
    record(run, Resumed(from_step=1, total_steps=120, epoch_steps=30, exact=True))
    view.poll()
    assert (view.step, view.total_steps, view.names) == (1, 120, ("train/loss",))


def test_the_newest_step_is_not_that_of_what_is_measured_less_often(run: RunFolder) -> None:
    record(run, batch(1, *[0.1] * 5), MetricsLogged(first=3, count=1, values={"grad_norm": [0.5]}, epoch=2))
    view = RunView(run)
    view.poll()
    assert view.step == 5


def test_nothing_new_is_told(run: RunFolder) -> None:
    view = RunView(run)
    record(run, batch(1, 1.0))
    assert view.poll()
    version = view.version
    assert not view.poll()
    assert view.version == version
    record(run, batch(2, 1.0))
    assert view.poll()
    assert view.version == version + 1


def test_ten_minutes_of_machine(run: RunFolder) -> None:
    moments = [1000.0, 1000.0 + MACHINE_SECONDS / 2, 1100.0 + MACHINE_SECONDS]
    log_state = LogState()
    log_state.feed(
        [to_json(Machine(step=1, cpu=50.0, memory=10, processes=1, time=moment)).encode() for moment in moments]
    )
    assert [event.time for event in log_state.machine] == moments[1:]


def test_pace() -> None:
    """Steps a second over the last half minute, whatever the newest batch's rate; anew after a resume."""
    log_state = LogState()
    slow = [MetricsLogged(first=i, count=1, values={"a": [1.0]}, rate=9.0, time=1000.0 + 10 * i) for i in range(10)]
    log_state.feed([to_json(event).encode() for event in slow])
    assert log_state.pace == pytest.approx(0.1)
    resumed = Resumed(from_step=2, total_steps=9, epoch_steps=3, exact=True, time=2000.0)
    log_state.feed([to_json(resumed).encode()])
    assert log_state.pace == 9.0


def test_replaced_log(run: RunFolder) -> None:
    """A log that has become shorter, or another file, is read anew; one that is gone leaves what there was."""
    view = RunView(run)
    record(run, batch(1, 1.0, 2.0, 3.0), Notice(step=3, text="first"))
    view.poll()
    run.events.write_bytes(b"")
    assert view.poll()
    assert (view.names, view.events, view.metrics) == ((), (), {})
    record(run, batch(1, 5.0))
    view.poll()
    assert view.series("train/loss").values.tolist() == [5.0]
    copy = run.path / "copy"
    lines = lines_of([batch(1, 6.0, 7.0), batch(3, 8.0)])
    copy.write_bytes(b"".join(line + b"\n" for line in lines))
    copy.replace(run.events)
    view.poll()
    assert view.series("train/loss").values.tolist() == [6.0, 7.0, 8.0]
    run.events.unlink()
    view.poll()
    assert view.series("train/loss").values.tolist() == [6.0, 7.0, 8.0]


def test_vanished_and_damaged(run: RunFolder) -> None:
    view = RunView(run)
    record(run, batch(1, 1.0))
    view.poll()
    assert view.state == "stopped"
    run.record.write_text("{")
    assert view.poll()
    assert (view.state, view.record) == ("damaged", {})
    run.record.write_text('{"format": "one", "state": []}')
    view.poll()
    assert view.state == "damaged"
    shutil.rmtree(run.path)
    assert view.poll()
    assert view.state == "removed"
    assert view.metrics == {"train/loss": 1.0}
    assert not view.poll()


BAD_LINES = [line.encode() for lines in EVENTS.values() for line in lines if str(HUGE) not in line]
"""Without numbers of hundreds of digits: where they say nothing of a curve, pydantic's parser passes over them."""


@pytest.mark.parametrize("line", [*RUBBISH, *BAD_LINES])
def test_damaged_lines_are_counted_as_the_log_counts_them(line: bytes) -> None:
    heard: list[str] = []
    list(parse_lines([line + b"\n"], heard.append))
    state = LogState()
    state.feed([line])
    assert state.damaged == len(heard)


def test_newer_format(run: RunFolder) -> None:
    """Shown as far as it is understood."""
    run.record.write_text(json.dumps({"format": 99, "state": "running", "task": "toy", "novel": {}}))
    line = {"event": "metrics", "first": 1, "count": 1, "values": {"a": [1.0]}, "shape": "new", "seq": 0, "time": 1.0}
    run.events.write_text(json.dumps(line) + "\n" + json.dumps({"event": "holo", "seq": 1}) + "\n")
    view = RunView(run)
    view.poll()
    assert view.state == "running (newer format)"
    assert view.metrics == {"a": 1.0}


def test_output(run: RunFolder) -> None:
    view = RunView(run)
    view.poll()
    assert view.log == ()
    run.output.write_bytes(b"one\n10 %\r100 %\n\x1b[31mred\x1b[0m\nunfini")
    view.poll()
    assert view.log == ("one", "100 %", "red", "unfini"), "the run has ended: what is unfinished stays so"
    assert view.log_count == 4
    run.output.write_bytes(b"new\n")
    view.poll()
    assert (view.log, view.log_count) == (("new",), 1)


def test_long_output(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long log the end, beginning with a whole line."""
    monkeypatch.setattr(views, "LOG_BYTES", 100)
    run.output.write_text("".join(f"line {i}\n" for i in range(1000)))
    view = RunView(run)
    view.poll()
    assert 8 <= len(view.log) <= 12
    assert view.log[0].startswith("line ")
    assert view.log[-1] == "line 999"


def test_evaluations(run: RunFolder) -> None:
    view = RunView(run)
    run.evaluations.write_text('{"split": "test", "step": 3, "metrics": {"test/mse": 1.0}}\nrubbish\n')
    view.poll()
    assert [e["split"] for e in view.evaluations] == ["test"]


def test_long_log_in_parts(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll ends when its time is up; the next ones go on."""
    monkeypatch.setattr(views, "BUDGET_SECONDS", 0.0)
    monkeypatch.setattr(views, "BLOCK", 500)
    record(run, *(batch(i, float(i)) for i in range(1, 40)))
    view = RunView(run)
    view.poll()
    assert view.behind
    assert 0 < len(view.series("train/loss").steps) < 39
    for _ in range(40):
        view.poll()
    assert not view.behind
    assert view.series("train/loss").steps.tolist() == list(range(1, 40))


def test_follow_run_keeps_views(tmp_path: Path) -> None:
    """The last eight, the most recently asked for."""
    folders = [RunFolder(tmp_path / f"{i}") for i in range(views.CACHED + 1)]
    kept = [follow_run(folder) for folder in folders[:-1]]
    assert follow_run(folders[0]) is kept[0]
    follow_run(folders[-1])
    assert follow_run(folders[0]) is kept[0]
    assert follow_run(folders[1]) is not kept[1]


def test_real_run(tmp_path: Path) -> None:
    run = toy_run(tmp_path, epochs=2, eval_every="1 epoch")
    view = RunView(run)
    view.poll()
    assert view.state == "completed"
    assert view.step == view.total_steps > 0
    assert view.finished is not None
    assert view.series("train/loss").steps.tolist() == list(range(1, view.step + 1))
    assert view.record["task"] == "toy"
    assert view.summary["model"]["parameters"] > 0
    assert (run.path / view.checkpoints[-1].folder).is_dir()


def test_a_line_that_claims_more_steps_than_it_has_values_moves_nothing() -> None:
    log = LogState()
    line = {"event": "metrics", "seq": 1, "time": 5.0, "first": 1, "count": 2, "values": {"a": [1.0, 2.0]}}
    log.feed([json.dumps({**line, **wrong}).encode() for wrong in ({}, {"count": 200_000_000}, {"every": 1 << 61})])
    assert log.step == 2
    assert log.history.series("a").steps.tolist() == [1, 2]
