"""No text of a run, a file or a plugin steers the terminal, whatever command shows it."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

import dlkit
from command_lines import lines
from dlkit.cli.main import COMMANDS, _show_unexpected, main
from dlkit.cli.progress import Bar, Display, JsonLines, Lines
from dlkit.errors import UsageError
from dlkit.events import KINDS, Notice
from dlkit.interrupt import Interrupts
from dlkit.jobs.service.launchd import Launchd
from dlkit.jobs.service.systemd import Systemd
from dlkit.present.samples import render
from dlkit.runs.log import EventLog, read_events
from dlkit.samples import Sample
from installed import TESTS
from planted import EVIL, WRITTEN, evil_samples, install_planted, record_planted, steering
from recorded import record_run
from steering import Listen, listen
from terminal import Terminal
from toy import toy_run
from waiting import LONG

__all__ = ["listen"]

Captured = pytest.CaptureFixture[str]

WORDS: dict[str, Sequence[Sequence[str]]] = {
    "tui": [["--nonsense", EVIL]],
    "web": [["--port", EVIL], ["--nonsense", EVIL]],
    "serve": [["PLANTED", "--port", "70000"], [EVIL], ["GOOD", "--token", EVIL[:9]], ["GOOD", "--seconds", "0"]],
    "tasks": [[], ["--json"]],
    "plugins": [[], ["--verbose"], ["--verbose", "--json"], ["--check"], ["--check", "--json"]],
    "new-plugin": [[EVIL], ["new-one", "--kind", EVIL], ["new-one", "--into", EVIL], ["new-one", "--license", EVIL],
                   ["new-one", "--kind", "model", "--for", EVIL], ["new-one", "--kind", "model", "--for", "loud"]],
    "check-plugin": [["toy", "--quick", "--only", "package-has-metadata"], [EVIL], ["toy", "--only", EVIL],
                     ["./" + EVIL]],
    "components": [[], ["--json"], ["--task", EVIL], ["--task", "loud"]],
    "data": [["list"], ["list", "--json"], [EVIL], ["get", EVIL], ["path", EVIL], ["show", "toy"], ["show", EVIL],
             ["example", EVIL, EVIL], ["example", "toy", EVIL],
             ["verify", EVIL], ["show", "toy", f"--dataset.{EVIL}", EVIL], ["show", "toy", "--dataset", EVIL]],
    "train": [["toy", "--name", EVIL], [EVIL], ["toy", EVIL], ["toy", f"--{EVIL}", EVIL], ["toy", "--model", EVIL],
              ["toy", "--preset", EVIL], ["toy", "--config", WRITTEN], ["--help"], ["loud", "--help"],
              ["toy", "--trainer.lr", EVIL], ["toy", "--print-config", "--job.notify", EVIL],
              ["toy", "--queue", "--after", EVIL], ["toy", "--priority", EVIL, "--queue"]],
    "queue": [["list"], ["list", "--json"], ["cancel", "QUEUED"], ["cancel", EVIL], [EVIL],
              ["priority", "QUEUED", EVIL], ["priority", EVIL, "urgent"], ["settings", "--turn", EVIL]],
    "service": [["status"], ["status", "--json"], ["install", "--dry-run"], ["uninstall"], [EVIL]],
    "study": [["list"], ["toy", "--vary", EVIL], ["toy", "--vary", f"lr={EVIL}"], [EVIL], ["show", EVIL],
              ["toy", "--vary", f"model={EVIL}"], ["toy", "--vary", "lr=0.1,0.2", "--name", EVIL]],
    "remote": [["list"], ["add", EVIL, "me@box:work"], ["add", "box", EVIL], ["check", EVIL], ["remove", EVIL], [EVIL]],
    "resume": [["last"], ["PLANTED"], ["DONE"], [EVIL], ["GOOD"]],
    "reproduce": [["PLANTED"], ["DONE"], ["GOOD", "--until", "2"], ["GOOD", "--from", EVIL], [EVIL]],
    "fork": [["last"], ["PLANTED"], ["GOOD", "--help"], ["GOOD", "--epochs", "9", "--dry-run"], [EVIL],
             ["GOOD", f"--{EVIL}", EVIL], ["GOOD", "--trainer.lr", EVIL], [f"GOOD@{EVIL}"], ["--help"]],
    "runs": [[], ["--json"], ["--task", EVIL], ["--nonsense", EVIL]],
    "watch": [["PLANTED"], ["DONE"], ["GOOD"], ["DONE", "--json"], [EVIL], ["GOOD", "--interval", EVIL]],
    "wait": [["PLANTED"], ["DIED", "--json"], ["QUEUED", "--timeout", "0"], [EVIL]],
    "stop": [["PLANTED"], ["DONE"], [EVIL]],
    "pause": [["PLANTED"], [EVIL], ["PLANTED", "--release"], ["QUEUED", "--release", "--reason", EVIL]],
    "unpause": [["PLANTED"], [EVIL]],
    "set": [["PLANTED", EVIL, EVIL], ["GOOD", EVIL, EVIL], [EVIL, "trainer.lr", "1"]],
    "ask": [["PLANTED", "samples"], ["PLANTED", EVIL]],
    "show": [[run, *more] for run in ("PLANTED", "DONE", "GOOD", "DIED", EVIL)
             for more in ([], ["--samples"], ["--log"], ["--config"], ["--json"], ["--profile"])],
    "explain": [["PLANTED", "DONE", "GOOD", "DIED"], ["PLANTED", "--json"], [EVIL]],
    "compare": [["PLANTED", "DONE", "GOOD"], ["PLANTED", "DONE", "--json"], [EVIL, "last"]],
    "report": [["PLANTED"], ["GOOD", "DONE", "--json"], ["GOOD", "--format", "md"], ["GOOD", "-o", EVIL], [EVIL]],
    "evaluate": [["GOOD"], ["GOOD", "--json"], ["PLANTED"], ["GOOD", "--split", EVIL], ["GOOD", "--checkpoint", EVIL]],
    "predict": [["GOOD", "1,2,3"], ["GOOD", "1,2,3", "--json"], ["GOOD", EVIL], ["PLANTED", EVIL],
                ["GOOD", f"--inference.{EVIL}", EVIL, "1,2,3"]],
    "sample": [["GOOD"], ["GOOD", "--json"], ["PLANTED"], ["GOOD", "--checkpoint", EVIL]],
    "export": [["GOOD", EVIL], ["PLANTED", EVIL]],
    "rename": [["PLANTED", EVIL], ["GOOD", EVIL], ["PLANTED", "fine"]],
    "tag": [["PLANTED", EVIL], ["PLANTED"], ["GOOD", "fine", "--remove", EVIL], ["PLANTED", "--json"]],
    "note": [["PLANTED", EVIL], ["PLANTED", "--show"], ["PLANTED", "--show", "--json"], ["GOOD"]],
    "remove": [[EVIL, "--yes"], ["DIED", "--yes"], ["PLANTED"]],
    "clean": [["--dry-run"], ["--dry-run", "--json"], ["--nonsense", EVIL]],
    "doctor": [[], ["--json"]],
    "completion": [[shell, "--line", line] for shell in ("bash", "zsh", "fish")
                   for line in ("dlkit show ", "dlkit train ", "dlkit train loud --")],
}  # fmt: skip
"""What commands are called with beside what ``command_lines`` finds. Capitals are runs: see ``planted``."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run that can be asked, to be copied."""
    workspace = tmp_path_factory.mktemp("kept") / "workspace"
    toy_run(workspace)
    return workspace


@pytest.fixture
def planted(kept: Path, tmp_path: Path, toy_installed: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Runs by what the command line is to say of them, their workspace the usual one; and two loud plugins."""
    workspace = tmp_path / "workspace"
    shutil.copytree(kept, workspace)
    monkeypatch.setenv("DLKIT_WORKSPACE", str(workspace))
    (good,) = (workspace / "runs").iterdir()
    record = json.loads((good / "run.json").read_text())
    (good / "run.json").write_text(json.dumps({**record, "name": EVIL, "host": EVIL, "git": EVIL, "reason": EVIL}))
    (good / "output.log").write_text(WRITTEN)
    found = {"GOOD": good.name}
    for number, (called, state) in enumerate(
        {"PLANTED": "failed", "DONE": "completed", "DIED": "interrupted", "QUEUED": "queued"}.items()
    ):
        found[called] = record_planted(workspace, number, state).id
    install_planted(toy_installed)
    return found


RUNS = ("PLANTED", "DONE", "GOOD", "DIED", "QUEUED")
OPEN = ("tui", "web")
"""Commands that stay: what the interface shows is for its own tests."""


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_lets_a_text_steer_the_terminal(
    command: str, planted: dict[str, str], listen: Listen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    if command in OPEN:
        monkeypatch.setattr(f"dlkit.cli.{command}.function", lambda _: _refuse)
    monkeypatch.setattr("dlkit.use.serve.command.serve", _refuse)
    monkeypatch.setattr("dlkit.cli.watch.WHY_SECONDS", 0.0)
    for service_manager in (Systemd, Launchd):  # on whichever machine this is run, nothing is installed
        monkeypatch.setattr(service_manager, "missing", lambda self: EVIL)
    for where, name in ((Interrupts, "wait"), (time, "sleep")):
        monkeypatch.setattr(where, name, _ctrl_c)  # whoever waits for what does not come does so until then
    automatic = [] if command in ("train", "fork") else lines(command, RUNS, EVIL)
    with listen() as heard:
        heard.read()
        for words in [*((command, *words) for words in WORDS.get(command, ())), *automatic]:
            with suppress(SystemExit):  # argparse, after --help
                main([planted.get(word, word) for word in words])
            heard.check(*words, silent=words[-1] == EVIL and "--line" in words)  # a line that nothing fits


_sleep = time.sleep


def _ctrl_c(*arguments: float) -> None:
    if sys._getframe(1).f_globals["__name__"] == "subprocess":  # which waits for git, and would leave it unwaited for
        _sleep(*arguments)
        return
    raise KeyboardInterrupt


def _refuse(*_: object, **__: object) -> int:
    raise UsageError(EVIL)


@pytest.mark.parametrize("display", [Lines, Bar, JsonLines])
def test_nothing_that_happens_in_a_run_steers_the_terminal(
    display: type[Display], tmp_path: Path, listen: Listen
) -> None:
    run = record_planted(tmp_path)
    events = read_events(run.events)
    assert {type(event) for event in events} == set(KINDS.values())
    with listen() as heard:
        heard.read()
        shown = display(run)
        shown.catch_up(events)
        for event in events:
            shown.show(event)
        shown.say(EVIL)
        shown.close()
        heard._replace(on_terminal=heard.on_terminal or display is Bar).check(display)


@pytest.mark.parametrize("sample", evil_samples(), ids=lambda sample: sample.kind)
def test_samples_are_painted_by_nobody_but_dlkit(sample: Sample) -> None:
    for colour in (False, True):
        for width in (20, 80):
            assert not steering(render(sample, colour=colour, width=width), terminal=colour)


@pytest.mark.parametrize("words", [["runs"], ["compare", "PLANTED", "DONE"], ["queue", "list"], ["show", "GOOD"]])
def test_a_name_is_one_line(words: list[str], planted: dict[str, str], capsys: Captured) -> None:
    capsys.readouterr()
    assert main([planted.get(word, word) for word in words]) == 0
    out = capsys.readouterr().out
    assert "forged" in out and not re.search("^forged", out, re.MULTILINE)


def test_a_name_that_no_list_can_show_starts_no_run(toy_installed: Path, tmp_path: Path, capsys: Captured) -> None:
    for more in ([], ["--queue"]):
        words = ["train", "toy", "--name", EVIL, "--workspace", str(tmp_path / "workspace"), *more]
        assert main(words) == UsageError.exit_code
        assert "one line of printable text" in capsys.readouterr().err
    assert not (tmp_path / "workspace").exists()


def test_json_says_what_is_there(planted: dict[str, str], capsys: Captured) -> None:
    capsys.readouterr()
    assert main(["show", planted["PLANTED"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == EVIL


def test_a_byte_that_is_no_utf8_among_the_words_stops_no_run(tmp_path: Path) -> None:
    run = record_planted(tmp_path)
    run.update(command=["dlkit", "train", "b\udcfcro"])
    assert run.read()["command"][2] == "b\udcfcro"
    log = EventLog(run.events)
    log.append(Notice(step=1, text="b\udcfcro"))
    log.close()
    assert "b\udcfcro" in [getattr(event, "text", "") for event in read_events(run.events)]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_stdout_cannot_encode_ends_no_command(encoding: str, tmp_path: Path) -> None:
    run = record_run(tmp_path, name="日本 – é")
    for words in (["runs"], ["show", run.id], ["show", run.id, "--json"], ["watch", run.id, "--json"]):
        command = [sys.executable, "-m", "dlkit", *words, "--workspace", str(tmp_path)]
        done = subprocess.run(
            command, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, encoding=encoding
        )
        assert done.returncode == 0, done.stderr
        if words[0] == "show" and words[-1] == "--json":
            assert json.loads(done.stdout)["name"] == "日本 – é"


def test_a_traceback_of_our_own_steers_nothing(capsys: Captured) -> None:
    error = ZeroDivisionError(EVIL)
    _show_unexpected(type(error), error, None)
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err and not steering(err)


OTHERS = """
import logging, sys, threading, warnings
from dlkit.cli import tasks
from dlkit.cli.main import main
from dlkit.present.output import say
from planted import EVIL

class Last:
    def __del__(self):
        raise RuntimeError(EVIL)

def loud(argv):
    say("first")
    logging.getLogger(EVIL).warning(EVIL)
    warnings.warn(EVIL)
    thread = threading.Thread(target=lambda: 1 / {}[EVIL])
    thread.start()
    thread.join()
    Last()
    say("last")
    raise ZeroDivisionError(EVIL)

tasks.main = loud
sys.argv = ["dlkit", "tasks"]
sys.exit(main())
"""


def test_nor_does_what_others_say_on_stderr() -> None:
    """Warnings, logs, threads and finalisers that fail: none of them asks dlkit, and what they quote may be a run's."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "TERM": "xterm-256color"}
    with Terminal([sys.executable, "-c", OTHERS], environment=environment) as terminal:
        while terminal.read(LONG):
            pass
        assert terminal.process.wait(LONG) == 1
    text = terminal.came.decode()
    assert not steering(text, terminal=True)
    for told in ("first", "UserWarning: ", "Exception in thread", "Exception ignored in", "last", "ZeroDivisionError"):
        assert told in text
    assert text.index("first") < text.index("UserWarning: ") < text.index("last") < text.index("ZeroDivisionError")


WRITERS = {
    "present/output.py",
    "cli/bell.py",
    "cli/progress.py",
    "cli/study_watch.py",
    "cli/main.py",
    "data/text/pieces.py",
}
"""Who writes to the terminal: the writers of lines, the notification, the bar; constants; a process's last words."""


def test_every_line_goes_through_the_two_writers() -> None:
    """Whoever prints by himself forgets one day what can be in a name."""
    root = Path(dlkit.__file__).parent
    for path in sorted(root.rglob("*.py")):
        found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        wild = [node.lineno for node in found if ast.unparse(node.func) in WILD]
        assert not wild or str(path.relative_to(root)) in WRITERS, (path, wild)


WILD = {
    "print",
    "sys.stdout.write",
    "sys.stderr.write",
    "tqdm.write",
    "traceback.print_exception",
    "traceback.print_exc",
}
