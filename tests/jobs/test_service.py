"""What goes on by itself after everything was killed, and what does not; what service managers are told."""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dlkit.cli.main import main
from dlkit.errors import UsageError
from dlkit.interpreter import python
from dlkit.jobs.detach import start_worker
from dlkit.jobs.queue import log_of, scheduler, wake
from dlkit.jobs.service import memory as remembering
from dlkit.jobs.service.launchd import Launchd
from dlkit.jobs.service.memory import Memory, process_of, remembered
from dlkit.jobs.service.revive import TRIES, revive
from dlkit.jobs.service.systemd import Systemd
from dlkit.jobs.service.unit import Unit, unit_of
from dlkit.jobs.shares import set_cpu_slots
from dlkit.runs import commands
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import RunFolder
from outcome import outcome
from queues import Quick, change_job, enqueue, troubled
from waiting import LONG
from workers import ENDLESS, begun, kill, make_job, ranks_of, state, until, until_step

Captured = pytest.CaptureFixture[str]
LENGTH = {"epochs": 30}
SYSTEMD = shutil.which("systemd-analyze")
EVIL_NAMES = [
    "plain",
    "with space",
    "q\"uo'te",
    "100% $HOME $$ ${PATH}",
    "back\\slash\\n",
    "ünï-文",
    "two\nlines",
    "b\udcff",
]


def exec_start(text: str) -> list[str]:
    """The command of a unit, by the rules of systemd.service(5) and systemd.syntax(7), written down independently."""
    (line,) = (line.removeprefix("ExecStart=") for line in text.splitlines() if line.startswith("ExecStart="))
    quoted = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
    assert " ".join(f'"{word}"' for word in quoted) == line
    path, *words = (meaning(word) for word in quoted)
    if path.startswith("@"):
        path, words = path[1:], words[1:]
    assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", "".join(words)), "systemd would put a variable there"
    return [path, *(word.replace("$$", "$") for word in words)]


def meaning(word: str) -> str:
    """Without escapes, and with specifiers resolved, of which there may be none but ``%%``."""
    assert "%" not in word.replace("%%", "")
    raw = re.sub(
        r"\\(x[0-9a-f]{2}|.)", lambda found: chr(int(found[1][1:], 16)) if len(found[1]) == 3 else found[1], word
    )
    return os.fsdecode(raw.replace("%%", "%").encode("latin-1"))


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "SEEN_SECONDS", 0.2)


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_a_unit_starts_the_very_workspace(tmp_path: Path, name: str) -> None:
    workspace = tmp_path / name
    unit = unit_of(workspace, {"PATH": "/bin:/a b", "DLKIT_MIRROR": 'x"%h\\', "SECRET": "1"})
    text = Systemd().text(unit).decode("ascii")
    assert exec_start(text) == [*python("dlkit.jobs.service"), str(workspace)]
    there = [meaning(line.removeprefix('Environment="')[:-1]) for line in text.splitlines() if line.startswith("Env")]
    where = [] if "\udcff" in name else [f"DLKIT_WORKSPACE={workspace}"]  # which systemd takes no variable with
    assert there == ['DLKIT_MIRROR=x"%h\\', *where, "PATH=/bin:/a b"]
    assert unit.name.isascii() and "KillMode=process" in text and "Restart=on-failure" in text


def test_a_program_with_a_dollar_in_its_path(tmp_path: Path) -> None:
    unit = Unit("dlkit-x", tmp_path, ["/opt/$cash/python", "-P"], {})
    line = next(line for line in Systemd().text(unit).decode().splitlines() if line.startswith("ExecStart="))
    assert line == 'ExecStart="@/opt/$cash/python" "/opt/$$cash/python" "-P"'


@pytest.mark.skipif(SYSTEMD is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", EVIL_NAMES)
def test_systemd_takes_the_unit(tmp_path: Path, name: str) -> None:
    unit = unit_of(tmp_path / name)
    path = tmp_path / f"{unit.name}.service"
    path.write_bytes(Systemd().text(unit))
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    command = [str(SYSTEMD), "verify", "--user", "--man=no", str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    path.write_bytes(Systemd().text(unit).replace(b"=process", b"=whatever"))
    wrong = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert b"kill mode" in wrong.stderr, "it looks, and would have said so"


def test_an_agent_of_launchd(tmp_path: Path) -> None:
    unit = unit_of(tmp_path / "a & <b> ü", {"PATH": "/bin"})
    told = plistlib.loads(Launchd().text(unit))
    assert told["ProgramArguments"] == [*python("dlkit.jobs.service"), str(tmp_path / "a & <b> ü")]
    assert told["AbandonProcessGroup"] and told["RunAtLoad"] and told["KeepAlive"] == {"SuccessfulExit": False}
    assert Launchd().lasting(Launchd().text(unit._replace(environment={}))) == Launchd().lasting(Launchd().text(unit))
    with pytest.raises(UsageError, match="no such letters"):
        Launchd().text(unit_of(tmp_path / "b\udcff"))


@contextmanager
def service(workspace: Path, capsys: Captured) -> Iterator[subprocess.Popen[bytes]]:
    """What the installed unit would start, as it stands in its file."""
    capsys.readouterr()
    assert main(["service", "install", "--dry-run", "--workspace", str(workspace)]) == 0
    command = exec_start(capsys.readouterr().out)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            until(lambda: process_of(workspace) == process.pid)
            yield process
        finally:
            process.kill()


def hold(run: RunFolder) -> None:
    """Let it go no further: the service is to see it alive, however slow this machine is."""
    for rank in ranks_of(run).values():
        kill(rank, signal.SIGSTOP)


def kill_everything(workspace: Path, runs: list[RunFolder], served: subprocess.Popen[bytes]) -> None:
    """As the end of the machine does: nobody sees another die."""
    there = [served.pid, scheduler(workspace), *(run.read().get("worker") for run in runs)]
    there += [rank for run in runs if run.read().get("pid") for rank in ranks_of(run).values()]
    for process in there:
        if process:
            os.kill(process, signal.SIGKILL)
    served.wait(LONG)


def test_jobs_go_on_after_everything_was_killed_and_no_others(workspace: Path, quick: Quick, capsys: Captured) -> None:
    old, worker = begun(workspace, troubled(quick, wait=0.01), **ENDLESS)
    kill(worker.pid)
    until(lambda: state(old) == "interrupted")
    layer = {**troubled(quick, wait=0.02), "model": {"name": "mlp", "dropout": 0.2}}
    reference = make_job(workspace, layer, **LENGTH)
    assert start_worker(reference).wait(LONG) == 0
    set_cpu_slots(workspace, 3)  # two that nobody queued, of which one is paused, and one of the queue
    with service(workspace, capsys) as served:
        running, waiting = (enqueue(workspace, layer, **LENGTH) for _ in range(2))
        detached, _ = begun(workspace, layer, **LENGTH)
        hold(detached)
        paused, _ = begun(workspace, layer, **ENDLESS)
        stopped, _ = begun(workspace, layer, **ENDLESS)
        commands.append(paused.commands, "pause")
        commands.append(stopped.commands, "stop")
        until(lambda: (state(paused), state(stopped)) == ("paused", "stopped"))
        wake(workspace)
        until_step(running, 5)
        hold(running)
        going = {running.id, detached.id, paused.id}
        until(lambda: going <= set(remembered(workspace).going))
        kill_everything(workspace, [running, waiting, detached, paused], served)
    until(lambda: [state(run) for run in (running, detached, paused)] == ["interrupted"] * 3)
    with service(workspace, capsys) as served:
        until(lambda: [state(run) for run in (running, waiting, detached)] == ["completed"] * 3)
        served.terminate()
        assert served.wait(LONG) == 0
    assert outcome(running) == outcome(waiting) == outcome(detached) == outcome(reference)
    assert (state(old), state(paused), state(stopped)) == ("interrupted", "interrupted", "stopped")
    assert old.read().get("reason", "") in ("", None) or "service" not in str(old.read()["reason"])
    assert paused.read()["reason"] == "not continued by the service: it was paused"
    assert remembered(workspace).left == {paused.id: "it was paused"}
    assert "service ends; jobs go on" in log_of(workspace).read_text()


@pytest.fixture
def dead(workspace: Path, quick: Quick) -> tuple[RunFolder, Memory]:
    """A job whose processes were killed, and what a service knows that saw it before."""
    run, worker = begun(workspace, troubled(quick, wait=0.01), **ENDLESS)
    until(lambda: complete(run.path))
    kill(worker.pid)
    until(lambda: state(run) == "interrupted")
    memory = Memory(workspace, going={run.id: time.time()})
    memory.write()
    return run, remembered(workspace)


def test_what_was_told_to_stop_is_not_continued(dead: tuple[RunFolder, Memory]) -> None:
    run, memory = dead
    said: list[str] = []
    commands.append(run.commands, "stop", by="anna@host", reason="too hot")
    assert revive(memory, said.append) == [] and state(run) == "interrupted"
    assert said == [f"{run.id}: not continued: told to stop by anna@host: too hot"]
    assert run.read()["reason"] == "not continued by the service: told to stop by anna@host: too hot"


def test_what_was_there_before_the_service_is_not_continued(dead: tuple[RunFolder, Memory]) -> None:
    run, _ = dead
    assert revive(Memory(run.path.parent.parent), pytest.fail) == []
    later = Memory(run.path.parent.parent, seen=time.time() + 1)  # it was alive when the job was dead already
    assert revive(later, pytest.fail) == [] and state(run) == "interrupted"


def test_a_job_that_began_after_the_service_had_ended(dead: tuple[RunFolder, Memory]) -> None:
    run, _ = dead
    assert revive(Memory(run.path.parent.parent, seen=time.time() - 3600), lambda text: None) == [run.id]
    kill_worker(run)


def kill_worker(run: RunFolder) -> None:
    until(lambda: state(run) == "running")
    until(lambda: run.read().get("pid"))
    kill(int(run.read()["worker"]))
    until(lambda: state(run) == "interrupted")


def test_what_belongs_to_a_terminal_or_to_somebody_else(dead: tuple[RunFolder, Memory]) -> None:
    run, memory = dead
    change_job(run, foreground=True)
    assert revive(memory, pytest.fail) == [] and "service" not in str(run.read().get("reason"))
    run.update(job={**run.read()["job"], "foreground": False})  # nobody vouches for that
    said: list[str] = []
    again = Memory(memory.workspace, going={run.id: 1.0})
    assert revive(again, said.append) == [] and "foreign" in said[0] and state(run) == "interrupted"


def test_a_job_that_takes_the_machine_with_it_is_left_with_a_reason(dead: tuple[RunFolder, Memory]) -> None:
    run, memory = dead
    newest = complete(run.path)[-1]
    for count in range(1, TRIES + 1):
        assert revive(remembered(memory.workspace), lambda text: None) == [run.id]
        found = remembered(memory.workspace).tries[run.id]
        assert found[1] == count
        kill_worker(run)
        for checkpoint in complete(run.path):
            if checkpoint.step > newest.step:  # it has died before it could write one
                shutil.rmtree(checkpoint.folder)
    said: list[str] = []
    assert revive(remembered(memory.workspace), said.append) == []
    assert re.search(rf"it has died {TRIES + 1} times after its checkpoint at step \d+", said[0])
    assert "it has died" in str(run.read()["reason"]) and state(run) == "interrupted"
    # Somebody who resumes it takes it in his own hands: it counts from the beginning.
    assert remembered(memory.workspace).tries == {}


def test_an_end_of_the_machine_in_good_order(workspace: Path, quick: Quick) -> None:
    """Its SIGTERM stops jobs, with a checkpoint; a person's does too, and is obeyed."""
    run, worker = begun(workspace, troubled(quick, wait=0.01), **ENDLESS)
    worker.terminate()
    worker.wait(LONG)
    assert (state(run), run.read()["reason"]) == ("stopped", "stopped by SIGTERM")
    for moment, boot, goes_on in ((time.time(), remembering.boot(), False), (1.0, "other", False)):
        memory = Memory(workspace, time.time(), {run.id: time.time()}, (moment, boot))
        assert (revive(memory, lambda text: None) == [run.id]) is goes_on and state(run) == "stopped"
    memory = Memory(workspace, time.time(), {run.id: time.time()}, (time.time(), "another boot"))
    assert revive(memory, lambda text: None) == [run.id]
    kill_worker(run)


def test_a_damaged_list_knows_nothing(workspace: Path) -> None:
    for text in ("", "[]", '{"format": 2}', '{"format": 1, "seen": "x", "going": 3}'):
        (workspace / "service.json").write_text(text)
        assert remembered(workspace) == Memory(workspace)


def test_one_service_a_workspace_and_none_without(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from dlkit.jobs.service.__main__ import ABSENT, TAKEN
    from dlkit.jobs.service.__main__ import main as serve
    from dlkit.jobs.service.memory import lock_of
    from dlkit.runs.lock import RunLock

    with RunLock(lock_of(workspace)):
        assert serve([str(workspace)]) == TAKEN
    assert f"has a service already (process {os.getpid()})" in capfd.readouterr().err
    assert serve([str(workspace / "none")]) == ABSENT


@pytest.mark.skipif(Systemd().missing() != "", reason=f"no service manager to ask: {Systemd().missing()}")
def test_through_systemd(workspace: Path, quick: Quick, capsys: Captured) -> None:
    where = ["--workspace", str(workspace)]
    assert main(["service", "install", *where]) == 0
    try:
        until(lambda: process_of(workspace))
        run, _ = begun(workspace, troubled(quick, wait=0.02), epochs=12)
        until(lambda: run.id in remembered(workspace).going)
        name = unit_of(workspace).name
        subprocess.run(["systemctl", "--user", "kill", "--kill-who=all", "-s", "KILL", name], check=True)
        kill(int(run.read()["worker"]))
        until(lambda: state(run) == "interrupted")
        subprocess.run(["systemctl", "--user", "restart", name], check=True)
        until(lambda: state(run) == "completed")
    finally:
        assert main(["service", "uninstall", *where]) == 0
    assert not Systemd().path(unit_of(workspace)).exists()
