"""Following a run: every event once, in order; its end, however it comes, and no earlier attempt's."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlkit.events import Commanded, Event, Finished, MetricsLogged, Resumed, Started, to_json
from dlkit.jobs.follow import Follower, Gone, OutputLog, follow
from dlkit.runs.folder import RunFolder, create
from dlkit.runs.log import EventLog, read_events
from waiting import LONG

HOLDER = """
import sys
from pathlib import Path
from dlkit.events import MetricsLogged
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import RunLock
from dlkit.runs.log import EventLog

run, steps = RunFolder(Path(sys.argv[1])), int(sys.argv[2])
with RunLock(run.lock):
    log = EventLog(run.events)
    for step in range(1, steps + 1):
        log.append(MetricsLogged(first=step, count=1, values={"train/loss": [1.0 / step]}))
    print("ready", flush=True)
    sys.stdin.readline()
"""
Holder = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


def make_run(folder: Path, state: str = "running") -> RunFolder:
    record = {"task": "toy", "state": state, "host": socket.gethostname(), "metric": "val/mse", "direction": "min"}
    record |= {"job": {"queued": True}}  # as of a job of its workspace's own, whatever state it is put into
    return create(folder / "runs", "toy", "linear", record, "")


@pytest.fixture
def hold(run: RunFolder) -> Iterator[Holder]:
    """``hold(steps)``: a process that holds the run's lock and has recorded so many steps."""
    started = []

    def start(steps: int = 0) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLDER, str(run.path), str(steps)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def record(run: RunFolder, *events: Event) -> None:
    log = EventLog(run.events)
    for event in events:
        log.append(event)
    log.close()


def steps_of(events: Sequence[Event | Gone]) -> list[int]:
    return [event.first for event in events if isinstance(event, MetricsLogged)]


def metrics(step: int, count: int = 1) -> MetricsLogged:
    return MetricsLogged(first=step, count=count, values={"train/loss": [0.5] * count})


def finished(status: str = "completed", **fields: Any) -> Finished:
    return Finished(run="r", status=status, metrics={}, seconds=1.0, train_seconds=1.0, steps=6, **fields)


STARTED = Started(total_steps=6, epoch_steps=3, summary={})


def resumed(step: int) -> Resumed:
    return Resumed(from_step=step, total_steps=6, epoch_steps=3, exact=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_event_comes_once_however_the_log_is_written(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    run = make_run(tmp_path_factory.mktemp("f"), state="queued")
    events: list[Event] = [STARTED, *(metrics(i) for i in range(1, data.draw(st.integers(1, 8))))]
    written = "".join(to_json(event) + "\n" for event in events).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=12)))
    follower, seen = Follower(run), []
    for start, end in zip([0, *cuts], [*cuts, len(written)], strict=True):
        with run.events.open("ab") as file:
            file.write(written[start:end])
        new = follower.poll()
        assert len(seen) + len(new) == written[:end].count(b"\n"), "a whole line waits, or a torn one was taken"
        seen += new
    assert [to_json(event) for event in seen] == [to_json(event) for event in events]
    assert follower.ended is None


def test_history_is_what_holds_then_comes_what_is_appended(run: RunFolder, hold: Holder) -> None:
    record(run, STARTED, metrics(1, 3), metrics(4), resumed(2), metrics(3))
    process = hold(0)
    follower = Follower(run)
    first = follower.poll()
    assert first == read_events(run.events)
    assert [(e.first, e.count) for e in first if isinstance(e, MetricsLogged)] == [(1, 2), (3, 1)]
    assert follower.state == "running"
    record(run, metrics(4))
    assert steps_of(follower.poll()) == [4]
    assert follower.poll() == []
    process.kill()


def test_a_torn_line_that_was_repaired_is_never_taken(run: RunFolder) -> None:
    run.update(state="queued")
    record(run, STARTED, metrics(1))
    follower = Follower(run)
    follower.poll()
    with run.events.open("ab") as file:
        file.write(b'{"event":"metrics","first":2,"cou')
    assert follower.poll() == []
    record(run, metrics(3))  # who opens the log cuts the torn line off
    assert steps_of(follower.poll()) == [3]


def test_from_a_byte_offset_there_is_no_history(run: RunFolder) -> None:
    run.update(state="queued")
    record(run, STARTED, metrics(1))
    follower = Follower(run, run.events.stat().st_size)
    assert follower.poll() == []
    record(run, metrics(2))
    assert steps_of(follower.poll()) == [2]


def test_the_end_comes_when_the_run_says_so_too(run: RunFolder, hold: Holder) -> None:
    hold(2)
    follower = Follower(run)
    assert steps_of(follower.poll()) == [1, 2]
    record(run, finished())
    assert follower.poll() == []
    assert follower.withheld is not None
    run.update(state="completed")
    (end,) = follower.poll()
    assert end is follower.ended
    assert isinstance(end, Finished)
    assert follower.poll() == []


@pytest.mark.parametrize("state", ["queued", "running"])
def test_an_earlier_attempts_end_is_none(run: RunFolder, hold: Holder, state: str) -> None:
    record(run, STARTED, metrics(1, 3), finished("stopped"))
    run.update(state=state)
    hold(0)
    follower = Follower(run)
    assert not any(isinstance(event, Finished) for event in follower.poll())
    assert follower.ended is None
    record(run, resumed(3), metrics(4))
    assert [type(event) for event in follower.poll()] == [Resumed, MetricsLogged]
    record(run, finished("completed"))
    run.update(state="completed")
    assert [e.status for e in follower.poll() if isinstance(e, Finished)] == ["completed"]


def test_a_killed_process_is_gone_after_its_last_word(run: RunFolder, hold: Holder) -> None:
    process = hold(5)
    follower = Follower(run)
    assert steps_of(follower.poll()) == [1, 2, 3, 4, 5]
    record(run, metrics(6))
    process.kill()
    process.wait()
    assert steps_of(follower.poll()) == [6]
    assert follower.ended == Gone("interrupted")


def test_a_run_that_ends_between_two_looks_is_not_interrupted(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """run.json is read, the run ends and lets go of its lock, the lock is looked at: it says running, nobody lives."""
    import dlkit.runs.folder as folder

    record(run, STARTED, metrics(1))
    ask = folder.holder

    def end_first(path: Path) -> int | None:
        monkeypatch.setattr(folder, "holder", ask)
        record(run, finished())
        run.update(state="completed")
        return ask(path)

    monkeypatch.setattr(folder, "holder", end_first)
    follower = Follower(run)
    assert [type(event) for event in follower.poll()] == [Started, MetricsLogged, Finished]
    assert isinstance(follower.ended, Finished)


def test_runs_that_end_without_events(run: RunFolder) -> None:
    run.update(state="queued")
    follower = Follower(run)
    assert follower.poll() == []
    assert (follower.state, follower.ended) == ("queued", None)
    run.update(state="stopped", reason="cancelled")
    assert follower.poll() == []
    assert follower.ended == Gone("stopped")


def test_damaged_and_removed_runs_are_gone(run: RunFolder) -> None:
    run.record.write_text("{")
    assert list(follow(run)) == [Gone("damaged")]
    shutil.rmtree(run.path)
    assert list(follow(run)) == [Gone("removed")]


def test_a_run_on_another_host_is_followed_to_its_end(run: RunFolder) -> None:
    run.update(host="elsewhere")
    record(run, STARTED, metrics(1))
    follower = Follower(run)
    assert len(follower.poll()) == 2
    assert follower.state.startswith("unknown")
    assert follower.ended is None
    record(run, finished())
    run.update(state="completed")
    assert isinstance(follower.poll()[-1], Finished)


def test_many_follow_at_once_and_leave_no_trace(run: RunFolder, hold: Holder) -> None:
    process = hold(3)
    record(run, STARTED)
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path != run.events}
    seen: list[list[Event | Gone]] = [[] for _ in range(4)]
    threads = [threading.Thread(target=lambda i=i: seen[i].extend(follow(run, poll=0.01))) for i in range(4)]
    for thread in threads:
        thread.start()
    for step in range(4, 20):
        record(run, metrics(step))
        time.sleep(0.002)
    record(run, Commanded(step=19, action="stop", id="a"))
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path != run.events} == before
    process.kill()
    process.wait()
    for thread in threads:
        thread.join(LONG)
    assert all(steps_of(events) == list(range(1, 20)) for events in seen)
    assert all(events[-1] == Gone("interrupted") for events in seen)


def test_output_comes_by_whole_lines_fit_for_a_terminal(run: RunFolder) -> None:
    log = OutputLog(run)
    assert log.poll() == []
    with run.output.open("ab") as file:
        file.write(b"one\n\n\x1b[31mred\x1b[0m \x1b]0;title\x07\xff\n10%\r 90%\r\nhal")
        file.flush()
        assert log.poll() == ["one", "red \ufffd", " 90%"]
        file.write(b"f\nend")
        file.flush()
        assert log.poll() == ["half"]
        assert log.poll(torn=True) == ["end"]


def test_a_hole_in_the_place_of_a_line_takes_little_memory(run: RunFolder) -> None:
    with run.output.open("wb") as file:
        file.truncate(1 << 30)
    log = OutputLog(run)
    tracemalloc.start()
    try:
        assert log.poll(torn=True) == []
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()
    with run.output.open("ab") as file:
        file.write(b"and then a line\n")
    assert log.poll() == ["and then a line"]
