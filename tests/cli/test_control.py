"""stop, pause, unpause, set, ask: what they tell a run that really trains, and what they refuse."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dlkit.events import Checkpointed, Commanded, Sampled, Started
from dlkit.runs import commands
from dlkit.runs.folder import RunFolder, create, current_state
from dlkit.runs.log import EventLog, read_events
from live import Live, live_run
from waiting import LONG

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def going(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A run that trains as long as the tests of this module need it."""
    with live_run(tmp_path_factory.mktemp("going")) as found:
        yield found


def obeyed(run: RunFolder) -> list[Commanded]:
    return [event for event in read_events(run.events) if isinstance(event, Commanded)]


def state_of(run: RunFolder) -> str:
    return current_state(run, run.read())


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def test_pause_and_unpause(dlkit: Command, going: Live) -> None:
    run = going.run
    done = dlkit("pause", run.path)
    assert done.code == 0
    step = obeyed(run)[-1].step
    assert f"{run.id}: paused at step {step}; it keeps its memory and its device" in done.out
    assert f"unpause {run.id}" in done.out
    wait_until(lambda: state_of(run) == "paused")

    again = dlkit("pause", run.path)
    assert (again.code, again.out) == (1, "")
    assert "paused already" in again.err

    goes_on = dlkit("unpause", run.path, "--json")
    assert goes_on.json == {
        "run": run.id,
        "action": "unpause",
        "id": obeyed(run)[-1].id,
        "obeyed": True,
        "step": step,
        "refused": "",
    }
    wait_until(lambda: state_of(run) == "running")
    refused = dlkit("unpause", run.path, "--json")
    assert refused.code == 1
    assert (refused.json["obeyed"], bool(refused.json["refused"])) == (False, True)


def test_set_changes_what_declares_itself_changeable(dlkit: Command, going: Live) -> None:
    run = going.run
    done = dlkit("set", run.path, "trainer.lr", "2e-2")
    assert done.code == 0
    last = obeyed(run)[-1]
    assert done.out == f"{run.id}: trainer.lr = 0.02 from step {last.step + 1} on\n"
    assert (last.key, last.value, last.refused) == ("trainer.lr", 0.02, "")
    assert dlkit("set", run.path, "lr", "0.03").out.startswith(f"{run.id}: trainer.lr = 0.03")
    assert dlkit("set", run.path, "engine.max_time", "900").code == 0
    assert dlkit("set", run.path, "engine.max_time", "none", "--json").json["value"] is None
    wait_until(lambda: run.read()["state"] == "running")


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("trainer.lr", "-1", "must be a number above 0"),
        ("trainer.lr", "much", "trainer.lr = 'much'"),
        ("trainer.lr", "inf", "finite"),
        ("trainer.lr", "nan", "above 0|finite"),
        ("engine.keep", "1.5", "must be a whole number of at least 1"),
        ("engine.keep", "0", "must be a whole number of at least 1"),
        ("trainer.optimizer", "adamw", "trainer.lr"),
        ("engine.batch_size", "8", "engine.keep"),
        ("model.dropout", "0.5", "trainer.lr"),
        ("trainer.rl", "0.1", "did you mean 'trainer.lr'"),
    ],
)
def test_set_refuses_before_it_asks(dlkit: Command, going: Live, key: str, value: str, says: str) -> None:
    before = going.run.commands.read_bytes() if going.run.commands.exists() else b""
    done = dlkit("set", going.run.path, key, value)
    assert (done.code, done.out) == (2, "")
    assert any(words in done.err for words in says.split("|")), done.err
    assert (going.run.commands.read_bytes() if going.run.commands.exists() else b"") == before


def test_ask_makes_samples_and_checkpoints_now(dlkit: Command, going: Live) -> None:
    run = going.run
    for what, kind in (("sample", Sampled), ("checkpoint", Checkpointed)):
        done = dlkit("ask", run.path, what)
        assert done.out == f"{run.id}: {what} asked for at step {obeyed(run)[-1].step}\n"
        step = obeyed(run)[-1].step
        wait_until(
            lambda kind=kind, step=step: any(isinstance(e, kind) and e.step == step for e in read_events(run.events))
        )
    assert dlkit("ask", run.path, "moon").code == 2


def test_every_command_is_obeyed_within_half_a_second(dlkit: Command, going: Live) -> None:
    waits = []
    for _ in range(5):
        began = time.monotonic()
        assert dlkit("ask", going.run.path, "checkpoint").code == 0
        waits.append(time.monotonic() - began)
    assert sorted(waits)[2] < 0.6


def test_show_tells_what_was_asked(dlkit: Command, going: Live) -> None:
    assert dlkit("ask", going.run.path, "checkpoint").code == 0
    text = dlkit("show", going.run.path, "--log").out
    assert f"{socket.gethostname()}: checkpoint asked for at step" in text


def test_stop_waits_for_the_end_and_then_there_is_nothing_to_ask(dlkit: Command, tmp_path: Path) -> None:
    with live_run(tmp_path) as live:
        run = live.run
        done = dlkit("stop", run.path, "--wait")
        assert done.code == 0
        step = obeyed(run)[-1].step
        assert done.out.splitlines()[0] == f"{run.id}: stopping after step {step}"
        assert f"{run.id}: stopped at step {step} (stopped by " in done.out.splitlines()[1]
        assert state_of(run) == "stopped"
        live.process.join(LONG)
    for words in (("stop",), ("pause",), ("unpause",), ("ask", "sample"), ("set", "trainer.lr", "0.1")):
        refused = dlkit(words[0], run.path, *words[1:])
        assert (refused.code, refused.out) == (1, "")
        assert f"{run.id} is stopped, not running: dlkit resume {run.id}" in refused.err


def test_a_killed_run_is_interrupted_and_can_be_resumed(dlkit: Command, tmp_path: Path) -> None:
    with live_run(tmp_path) as live:
        assert dlkit("ask", live.run.path, "checkpoint").code == 0
        wait_until(lambda: any(isinstance(e, Checkpointed) for e in read_events(live.run.events)))
        live.process.kill()
        live.process.join()
        refused = dlkit("pause", live.run.path)
    saved = next(e.step for e in read_events(live.run.events) if isinstance(e, Checkpointed))
    assert refused.code == 1
    assert f"last checkpoint: step {saved}; dlkit resume {live.run.id}" in refused.err
    assert "interrupted" in refused.err


def test_a_job_that_does_not_answer_keeps_the_command_in_line(dlkit: Command, tmp_path: Path) -> None:
    with live_run(tmp_path) as live:
        pid = live.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        late = dlkit("ask", live.run.path, "sample", "--timeout", "0.2", "--json")
        os.kill(pid, signal.SIGCONT)
        assert late.code == 0
        assert (late.json["obeyed"], late.json["step"]) == (False, None)
        assert "has not answered within 0.2 s; the command stays in line" in late.err
        wait_until(lambda: any(event.id == late.json["id"] for event in obeyed(live.run)))


def recorded(folder: Path, state: str, **fields: Any) -> RunFolder:
    record = {"task": "toy", "state": state, "host": socket.gethostname(), "components": {}, **fields}
    return create(folder / "runs", "toy", "linear", record, "")


def test_queued_completed_and_newer_runs_say_what_can_be_done(dlkit: Command, tmp_path: Path) -> None:
    queued = recorded(tmp_path, "queued", job={"queued": True})
    assert f"is queued, not running: dlkit queue cancel {queued.id}" in dlkit("stop", queued.path).err
    completed = recorded(tmp_path, "completed")
    assert f"resume {completed.id} --epochs N" in dlkit("pause", completed.path).err
    newer = recorded(tmp_path, "running", format=99)
    assert "newer dlkit" in dlkit("stop", newer.path).err
    assert not any(run.commands.exists() for run in (queued, completed, newer))


def test_a_job_being_started_is_waited_for(dlkit: Command, tmp_path: Path) -> None:
    run = recorded(tmp_path, "queued", job={"queued": False})
    done = dlkit("pause", run.path, "--timeout", "0.2")
    assert (done.code, run.commands.exists()) == (1, False)
    assert "has not begun to train within 0.2 s" in done.err


def test_a_job_on_another_host_is_asked_through_the_shared_folder(dlkit: Command, tmp_path: Path) -> None:
    run = recorded(tmp_path, "running", host="elsewhere")
    silent = dlkit("stop", run.path)
    assert silent.code == 1
    assert "says it runs on elsewhere, and never told anything: do this there" in silent.err
    log = EventLog(run.events)
    log.append(Started(total_steps=9, epoch_steps=3, summary={}))
    asked = dlkit("stop", run.path, "--timeout", "0.1")
    assert asked.code == 0
    assert "through the shared folder" in asked.err
    assert [command.action for command in commands.read(run.commands)[0]] == ["stop"]
    log.close()


def test_values_of_commands_are_strict_json(dlkit: Command, going: Live) -> None:
    dlkit("set", going.run.path, "trainer.lr", "0.01")
    for line in going.run.commands.read_text().splitlines():
        value = json.loads(line).get("value")
        assert value is None or math.isfinite(value)


@pytest.mark.parametrize("words", [("stop",), ("pause",), ("unpause",), ("ask", "sample")])
def test_asking_loads_nothing_heavy(tmp_path: Path, words: tuple[str, ...]) -> None:
    run = recorded(tmp_path, "completed")
    probe = (
        "import sys; from dlkit.cli.main import main; code = main(sys.argv[1:]); "
        "print(code, *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    command = [sys.executable, "-c", probe, words[0], str(run.path), *words[1:]]
    code, *modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert code == "1"
    assert not set(modules) & {"torch", "pydantic", "pluggy", "numpy", "textual", "psutil"}
