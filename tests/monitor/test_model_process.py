"""Asking a model through its process: answers, errors, ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dlkit.monitor.model_process import Hello, ModelGone, ModelProcess, QuestionRefused
from dlkit.runs.folder import RunFolder
from dlkit.samples import Text
from moody import moody_run
from waiting import LONG


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    with moody_run(tmp_path_factory.mktemp("asked")) as found:
        yield found


@pytest.fixture(scope="module")
def answering(run: RunFolder) -> Iterator[tuple[ModelProcess, Hello]]:
    asked = ModelProcess(run)
    yield asked, asked.start()
    asked.close()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_model_says_how_to_ask_it(answering: tuple[ModelProcess, Hello], run: RunFolder) -> None:
    hello = answering[1]
    assert (hello.run, hello.task, hello.asks, hello.label) == (run.id, "toy", "prompt", "prompt")
    assert hello.step in hello.steps and hello.usage == "what you like" and hello.device == "cpu"
    (option,) = hello.options
    assert (option.name, option.value, option.allowed) == ("temperature", 1.0, "number ≥ 0")


def test_an_answer_comes_with_its_samples(answering: tuple[ModelProcess, Hello]) -> None:
    answered = answering[0].ask(["a sentence, with blanks"])
    assert answered.answers == [{"said": "a sentence, with blanks", "temperature": 1.0}]
    (sample,) = answered.samples
    assert isinstance(sample, Text) and sample.prompt == "a sentence, with blanks" and "moodily" in sample.text
    assert 0 <= answered.seconds < LONG


def test_options_hold_for_one_question(answering: tuple[ModelProcess, Hello]) -> None:
    asked = answering[0]
    assert asked.ask(["x"], {"temperature": "0.25"}).answers[0]["temperature"] == 0.25
    assert asked.ask(["x"], {"temperature": 2}).answers[0]["temperature"] == 2.0
    assert asked.ask(["x"]).answers[0]["temperature"] == 1.0


@pytest.mark.parametrize(
    ("words", "options", "kind", "text"),
    [
        (["boom"], {}, "ZeroDivisionError", "ZeroDivisionError: boom"),
        (["exit"], {}, "SystemExit", "SystemExit: enough"),
        ([""], {}, "DataError", "an empty prompt"),
        (["x"], {"temperature": "-1"}, "SettingError", "inference.temperature = -1"),
        (["x"], {"temperatur": "1"}, "SettingError", "did you mean 'temperature'?"),
        (["object"], {}, "PluginError", "not JSON"),
    ],
)
def test_an_error_spoils_one_question(
    answering: tuple[ModelProcess, Hello], words: list[str], options: dict[str, str], kind: str, text: str
) -> None:
    asked = answering[0]
    with pytest.raises(QuestionRefused) as error:
        asked.ask(words, options)
    assert error.value.kind == kind and text in str(error.value)
    assert asked.ask(["after"]).answers[0]["said"] == "after"


def test_numbers_of_plugins_are_strict_json(answering: tuple[ModelProcess, Hello]) -> None:
    assert answering[0].ask(["array"]).answers == [{"said": [0.0, 1.0, 2.0], "nan": "nan"}]


def test_examples_differ_and_come_from_the_validation_data(answering: tuple[ModelProcess, Hello]) -> None:
    one, other = answering[0].example(), answering[0].example()
    assert one != other
    assert one[0].startswith("hello ") and one[0].endswith(" of 40")


def test_the_files_of_an_answer_are_not_kept_for_ever(answering: tuple[ModelProcess, Hello]) -> None:
    asked = answering[0]
    for i in range(5):
        asked.ask([f"word {i}"])
    assert len(list(Path(asked._folder).iterdir())) <= 1


def test_a_killed_process_is_told_with_its_last_words(run: RunFolder) -> None:
    asked = ModelProcess(run)
    asked.start()
    folder = asked._folder
    with pytest.raises(ModelGone, match="killed by SIGKILL: last words"):
        asked.ask(["die"])
    with pytest.raises(ModelGone):
        asked.ask(["again"])
    assert not asked.alive and not Path(folder).exists()
    asked.close()


def test_close_ends_a_question_that_takes_too_long(run: RunFolder) -> None:
    asked = ModelProcess(run)
    asked.start()
    failures: list[Exception] = []

    def ask() -> None:
        try:
            asked.ask(["slow"])
        except ModelGone as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: asked._asked)
    pid = asked.pid
    asked.close()
    thread.join(LONG)
    assert not thread.is_alive() and len(failures) == 1 and is_gone(pid)
    with pytest.raises(ModelGone, match="closed"):
        asked.start()


def test_close_between_a_question_and_its_waiting_ends_it(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ModelProcess(run)
    asked.start()
    read = asked._read

    def late(identity: int, deadline: float) -> dict[str, Any]:
        asked.close()
        return read(identity, deadline)

    monkeypatch.setattr(asked, "_read", late)
    with pytest.raises(ModelGone, match="closed"):
        asked.ask(["slow"])


def test_a_question_has_a_time_limit(run: RunFolder) -> None:
    asked = ModelProcess(run)
    asked.start()
    with pytest.raises(ModelGone, match="in time"):
        asked.ask(["slow"], timeout=0.2)
    assert not asked.alive
    asked.close()


def test_a_run_without_a_checkpoint_is_refused(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # of the process that is started
    empty = RunFolder(tmp_path / run.id)
    empty.path.mkdir()
    for name in ("run.json", "config.toml"):
        (empty.path / name).write_bytes((run.path / name).read_bytes())
    asked = ModelProcess(empty)
    with pytest.raises(QuestionRefused, match="no checkpoint yet"):
        asked.start()
    asked.close()
    assert not list(tmp_path.glob("dlkit-asked-*"))


def test_the_process_dies_with_whoever_asks_and_leaves_nothing(run: RunFolder) -> None:
    """Killed as it is, the asking process can tell nobody."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom dlkit.monitor.model_process import ModelProcess\n"
        "from dlkit.runs.folder import RunFolder\n"
        "asked = ModelProcess(RunFolder(Path(sys.argv[1])))\nasked.start()\n"
        "assert 'torch' not in sys.modules\n"
        "print(asked.pid, asked._folder, flush=True)\nasked.ask(['slow'])\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(run.path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid, folder = parent.stdout.readline().split()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: is_gone(int(pid)))
    assert not Path(folder).exists()


def test_replies_are_one_json_object_a_line(run: RunFolder) -> None:
    """Whatever plugins print, and whatever is asked."""
    requests = ["not json", '["a list"]', '{"id": 7}', '{"id": 8, "ask": ["x"]}', '{"id": 9, "example": true}']
    process = subprocess.Popen(
        [sys.executable, "-m", "dlkit.use.helper", str(run.path), "--checkpoint", "last"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdin.write("\n".join(requests) + "\n")
    process.stdin.flush()
    hello, *replies = [json.loads(process.stdout.readline()) for _ in range(6)]
    process.stdin.close()
    assert process.wait(LONG) == 0
    assert process.stdout.read() == ""
    noise = process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    assert "hello" in hello
    assert [reply.get("id") for reply in replies] == [None, None, 7, 8, 9]
    assert ["error" in reply for reply in replies] == [True, True, True, False, False]
    assert "noise of a plugin" in noise and "noise below Python" in noise


def test_an_answer_is_heard_as_it_is_written(run: RunFolder) -> None:
    asked, heard = ModelProcess(run, inference="teller"), list[str]()
    try:
        asked.start()
        answered = asked.ask(["once"], heard=heard.append)
        assert heard == ["once", " and", " so", " on"]
        assert answered.answers[0]["text"] == "once and so on" and answered.letters == len(" and so on")
        assert [sample.text for sample in answered.samples if isinstance(sample, Text)] == [" and so on"]
        assert "once" not in heard[1:] and asked.ask(["plain"]).letters == 0, "who does not listen gets it as a whole"
    finally:
        asked.close()


def test_who_waits_for_an_example_keeps_nobody_from_an_answer(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replies are told apart by their id; of those who wait, one reads for all."""
    monkeypatch.setenv("TOY_GATE", str(tmp_path / "gate"))
    asked, found = ModelProcess(run), list[list[str]]()
    try:
        asked.start()
        waiting = threading.Thread(target=lambda: found.append(asked.example()))
        waiting.start()
        answers = [asked.ask([word]).answers[0]["said"] for word in ("one", "two", "three")]
        assert answers == ["one", "two", "three"] and not found
        (tmp_path / "gate").write_text("")
        waiting.join(LONG)
        assert found and found[0][0].startswith("hello")
    finally:
        asked.close()
