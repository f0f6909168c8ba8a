"""``dlkit watch``: looking on at a run that really trains, from other processes, without touching it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dlkit.events import Commanded, Event, Finished, Machine, Retried, Started, told
from dlkit.jobs.follow import Follower
from dlkit.runs import commands
from dlkit.runs.folder import RunFolder, create
from dlkit.runs.log import EventLog, read_events
from dlkit.runs.own import marks_again
from live import Live, live_run
from toy import toy_run
from waiting import LONG

Command = Callable[..., Any]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_run(tmp_path) as found:
        yield found


@contextmanager
def watching(run: RunFolder, *words: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """``dlkit watch`` in a process of its own."""
    options.setdefault("stderr", subprocess.PIPE)
    command = [sys.executable, "-m", "dlkit", "watch", str(run.path), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def wait_for_line(stream: Any, words: str) -> str:
    """Read a stream up to the line that has these words."""
    for line in stream:
        if words in line:
            return str(line)
    raise AssertionError(f"no line with {words!r}")


def recorded(folder: Path, state: str, *events: Event, **fields: Any) -> RunFolder:
    record = {"task": "toy", "state": state, "host": socket.gethostname(), "metric": "val/mse", "direction": "min"}
    run = create(folder / "runs", "toy", "linear", {**record, **fields}, "")
    log = EventLog(run.events)
    for event in events:
        log.append(event)
    log.close()
    return run


def test_watchers_see_all_of_it_and_end_with_the_run(live: Live) -> None:
    run = live.run
    with watching(run, "--json") as events, watching(run) as text:
        wait_for_line(text.stderr, "Ctrl-C detaches")
        wait_for_line(text.stderr, "val/mse")
        wait_for_line(events.stdout, '"event":"metrics"')
        with run.output.open("a") as log:
            log.write("a word from the worker\n")
        wait_for_line(text.stderr, "log: a word from the worker")
        commands.append(run.commands, "set", "trainer.lr", 0.02, by="somebody")
        wait_for_line(text.stderr, "somebody: trainer.lr = 0.02 from step")
        commands.append(run.commands, "stop", by="somebody")
        shown, rest = text.communicate(timeout=LONG)
        out, _ = events.communicate(timeout=LONG)
    assert (text.returncode, events.returncode) == (130, 130)
    assert "somebody: stopping after step" in rest
    assert shown.startswith(f"{run.id}: stopped (stopped by somebody), ")
    assert f"resume {run.id}" in rest
    lines = [json.loads(line) for line in out.splitlines()]
    assert (lines[-1]["event"], lines[-1]["state"]) == ("finished", "stopped")
    recorded_lines = [json.loads(told(event)) for event in read_events(run.events)]
    assert lines == recorded_lines[len(recorded_lines) - len(lines) :]


def test_ctrl_c_detaches_and_the_run_goes_on(live: Live) -> None:
    with watching(live.run) as process:
        wait_for_line(process.stderr, "val/mse")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LONG)
    assert (process.returncode, out) == (0, "")
    assert f"detached; {live.run.id} goes on (dlkit watch {live.run.id}" in err
    assert f"dlkit stop {live.run.id}" in err
    follower = Follower(live.run, live.run.events.stat().st_size)
    deadline = time.monotonic() + LONG
    while not follower.poll():
        assert time.monotonic() < deadline, "the run does not go on"
        time.sleep(0.02)
    assert not live.run.commands.exists()


class Finalised:
    """Ctrl-C comes while it is deleted, and Python drops what its handler raises."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("state", ["running", "queued"])
def test_ctrl_c_in_a_finaliser_detaches_too(
    dlkit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    run = recorded(tmp_path, state)
    looks: list[int] = []

    def poll(follower: Follower) -> list[Event]:
        follower.state = state
        looks.append(len(looks))
        if len(looks) == 2:
            Finalised()
        assert len(looks) < 1000, "Ctrl-C was lost"
        return []

    monkeypatch.setattr(Follower, "poll", poll)
    done = dlkit("watch", run.path, "--interval", "0.001")
    assert (done.code, done.out) == (0, "")
    assert f"detached; {run.id} goes on" in done.err


def test_ctrl_c_does_not_wait_for_the_next_look(tmp_path: Path) -> None:
    # So many epochs that it still goes on when a busy machine has started to look.
    with live_run(tmp_path, epochs=100_000) as live:
        _until_evaluated(live.run, 1)  # what the first look does not find, nothing shows for an hour
        with watching(live.run, "--interval", "3600") as process:
            wait_for_line(process.stderr, "val/mse")
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=LONG)
    assert process.returncode == 0
    assert "detached" in err


def _until_evaluated(run: RunFolder, times: int) -> None:
    deadline = time.monotonic() + LONG
    while sum("val/mse" in getattr(e, "values", {}) for e in read_events(run.events)) < times:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_past_is_told_in_short(live: Live) -> None:
    _until_evaluated(live.run, 5)
    with watching(live.run) as process:
        seen = [process.stderr.readline()] if process.stderr else []
        assert process.stderr is not None
        while not re.match(r"step \d+/30000 ", seen[-1]):
            seen.append(process.stderr.readline())
            assert len(seen) < 40
    text = "".join(seen)
    assert f"run {live.run.id}" in text
    assert "parameters" in text
    assert text.count("val/mse") == 1


def test_a_killed_run_is_told_with_its_checkpoint(live: Live, dlkit: Command) -> None:
    assert dlkit("ask", live.run.path, "checkpoint").code == 0
    with watching(live.run) as text, watching(live.run, "--json") as events:
        wait_for_line(text.stderr, "val/mse")
        wait_for_line(events.stdout, '"event":"metrics"')
        live.process.kill()
        out, _ = text.communicate(timeout=LONG)
        lines, _ = events.communicate(timeout=LONG)
    assert (text.returncode, events.returncode) == (1, 1)
    pattern = (
        rf"{live.run.id}: interrupted: its worker died at step \d+; last checkpoint: step \d+; .*resume {live.run.id}"
    )
    assert re.match(pattern, out), out
    assert json.loads(lines.splitlines()[-1]) == {"event": "gone", "run": live.run.id, "state": "interrupted"}


def test_an_ended_run_is_told_at_once(dlkit: Command, trained: Path, ids: list[str]) -> None:
    done = dlkit("watch", ids[0], "--workspace", trained)
    assert done.code == 0
    assert done.out.startswith(f"{ids[0]}: completed, 18 steps in ")
    assert "best val/mse" in done.out
    assert f"evaluate {ids[0]} --workspace {trained}" in done.err
    lines = dlkit("watch", ids[0], "--json", "--workspace", trained).out
    assert lines.splitlines() == [told(event) for event in read_events(trained / "runs" / ids[0] / "events.jsonl")]


def test_a_failed_run_shows_its_traceback(dlkit: Command, tmp_path: Path) -> None:
    run = toy_run(tmp_path, layer={"model": {"name": "faulty"}})
    done = dlkit("watch", run.path)
    assert done.code == 1
    assert "ZeroDivisionError" in done.out
    assert "Traceback (most recent call last)" in done.err


def test_a_queued_run_says_so_until_it_is_cancelled(dlkit: Command, tmp_path: Path) -> None:
    job = {"queued": True, "since": time.time(), "priority": 0, "after": [], "device": "cpu", "nproc": 1}
    run = recorded(tmp_path, "queued", job={**job, "gpu_memory": None, "threads": 0})
    cancel = threading.Timer(0.5, lambda: run.update(state="stopped", reason="cancelled"))
    cancel.start()
    done = dlkit("watch", run.path)
    cancel.join()
    assert done.code == 130
    assert f"{run.id}: queued" in done.err
    assert "\nqueued" in done.err
    assert done.out == f"{run.id}: stopped (cancelled)\n"


def test_a_run_that_could_not_go_on_is_as_it_was(dlkit: Command, tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    before = run.read()
    run.update(**marks_again(run.path, before, state="queued", result=None, job={"queued": True}))
    back = threading.Timer(0.5, lambda: run.update(**before))
    back.start()
    done = dlkit("watch", run.path)
    back.join()
    assert done.code == 1
    assert f"{run.id}: it could not go on" in done.out


def test_removed_and_damaged_runs(dlkit: Command, tmp_path: Path) -> None:
    run = recorded(tmp_path, "running")
    run.record.write_text("{")
    done = dlkit("watch", run.path)
    assert done.code == 1
    assert done.out.startswith(f"{run.id}: damaged")
    assert dlkit("watch", tmp_path / "nothing").code == 2
    assert dlkit("watch", run.path, "--interval", "0").code == 2


def test_new_events_in_words(dlkit: Command, tmp_path: Path) -> None:
    gpu = {"index": 0, "name": "H200", "use": 93.0, "memory": 12_300_000_000, "total": 150_000_000_000}
    events = (
        Started(total_steps=9, epoch_steps=3, summary={}),
        Machine(step=2, cpu=181.2, memory=1_234_000_000, processes=3, gpus=[gpu, {"index": 1, "use": None}]),
        Commanded(step=2, action="set", key="trainer.lr", value=0.1, by="ann@host", refused="no such thing"),
        Retried(step=2, reason="out of memory", attempt=1, of=2, settings={"engine.batch_size": 32}),
        Finished(run="r", status="stopped", metrics={}, seconds=1, train_seconds=1, steps=2),
    )
    run = recorded(tmp_path, "stopped", *events)
    text = dlkit("show", run.path, "--log").out
    gpus = "gpu 0 (H200) 93 %, 12.3 GB of 150.0 GB, gpu 1"
    assert f"machine cpu 181 %, memory 1.2 GB, 3 processes, {gpus}\n" in text
    assert "ann@host: set trainer.lr was refused at step 2: no such thing" in text
    assert "out of memory; started again (1 of 2) with engine.batch_size = 32" in text
    assert "step 2        machine" not in text
    assert dlkit("show", run.path, "--json").json["machine"]["gpus"][0] == gpu


def read_terminal(descriptor: int) -> str:
    """Everything that comes out of a terminal until its last process closes it."""
    found = b""
    while True:
        try:
            part = os.read(descriptor, 1 << 16)
        except OSError:  # Linux says so when the other side is closed
            part = b""
        if not part:
            return found.decode(errors="replace")
        found += part


def test_a_terminal_gets_a_bar_and_a_bell_at_the_end(live: Live) -> None:
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    environment = {**{k: v for k, v in os.environ.items() if k != "TMUX"}, "TERM": "xterm"}
    with watching(live.run, stderr=slave, env=environment) as process:
        os.close(slave)
        time.sleep(1.5)
        commands.append(live.run.commands, "stop", by="somebody")
        text = read_terminal(master)
        process.wait(LONG)
    os.close(master)
    assert "%|" in text
    assert re.search(r"/30000 \[", text)
    assert text.endswith(f"\a\033]9;dlkit: {live.run.id} stopped\a")


def test_looking_on_loads_no_torch(trained: Path, ids: list[str]) -> None:
    probe = (
        "import sys; from dlkit.cli.main import main; code = main(sys.argv[1:]); "
        "print(code, *sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    command = [sys.executable, "-c", probe, "watch", str(trained / "runs" / ids[0])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    code, *modules = done.stderr.splitlines()[-1].split()
    assert code == "0"
    assert not set(modules) & {"torch", "pydantic", "pluggy", "textual"}
