"""The playground: whose models can be asked, and asking them, with real models in real processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Input

from dlkit import interpreter
from dlkit.monitor.model_process import ModelProcess
from dlkit.runs.folder import RunFolder
from dlkit.tui.app import DlkitApp
from dlkit.tui.playground.ask import AskScreen
from dlkit.tui.playground.open_file import OpenFile
from dlkit.tui.playground.options import OptionInput, written
from dlkit.tui.playground.screen import PlaygroundScreen, has_checkpoint
from dlkit.tui.sample.view import SampleView
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.shared.table import Table
from moody import moody_run
from waiting import LONG


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    with moody_run(tmp_path_factory.mktemp("playground")) as found:
        yield found


pytestmark = pytest.mark.usefixtures("imported")


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLKIT_CONFIG", str(tmp_path / "config"))


def workspace(run: RunFolder) -> Path:
    return run.path.parent.parent


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, screen(pilot.app)
        await pilot.pause(0.02)


def screen(app: Any) -> str:
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines)


async def opened(pilot: Pilot[Any], run: RunFolder) -> AskScreen:
    """The screen that asks a run, its model loaded and its example there."""
    app = pilot.app
    assert isinstance(app, DlkitApp)
    app.open_playground(run)
    await until(
        pilot,
        lambda: (
            isinstance(app.screen, AskScreen) and app.screen.hello and not app.screen.busy and not app.screen.looking
        ),
    )
    assert isinstance(app.screen, AskScreen)
    return app.screen


def question(found: AskScreen) -> Input:
    return found.query_one("#question", Input)


async def ask(pilot: Pilot[Any], found: AskScreen, text: str) -> None:
    question(found).value = text
    question(found).focus()
    await pilot.press("enter")
    await until(pilot, lambda: not found.busy)


async def test_from_the_list_to_an_answer_in_two_keys(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter on the run, Enter for the question: it is asked when the model is loaded and the example is there."""
    # As people start it: it imports torch, so that what is said meanwhile can be seen.
    monkeypatch.setattr("dlkit.monitor.model_process.python", interpreter.python)
    app = DlkitApp(workspace(run))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, PlaygroundScreen) and app.screen.query_one(Table).rows)
        assert "toy" in screen(app) and "val/mse" in screen(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AskScreen) and "loading the model" in screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "then asks" in screen(app))
        await until(pilot, lambda: "moodily" in screen(app))
        await until(pilot, lambda: "answered in" in screen(app))
        assert "hello" in question(app.screen).value  # type: ignore[arg-type]
        asked = app.screen.asked  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PlaygroundScreen) and not asked.alive)


async def test_questions_options_errors_and_history(run: RunFolder) -> None:
    async with DlkitApp(workspace(run)).run_test(size=(80, 24)) as pilot:
        found = await opened(pilot, run)
        app = pilot.app
        await until(pilot, lambda: all(t in screen(app) for t in ("enter asks", "temperature", "best, step")))
        await ask(pilot, found, "first")
        assert found.answered is not None and found.answered.answers[0] == {"said": "first", "temperature": 1.0}
        found.query_one(OptionInput).value = "0.5"
        await ask(pilot, found, "second")
        assert found.answered.answers[0] == {"said": "second", "temperature": 0.5}
        found.query_one(OptionInput).value = "-3"
        await ask(pilot, found, "third")
        await until(pilot, lambda: "inference.temperature = -3" in screen(app) and "of at least 0" in screen(app))
        found.query_one(OptionInput).value = "1.0"
        await ask(pilot, found, "boom")
        await until(pilot, lambda: "✗ ZeroDivisionError: boom" in screen(app))
        await ask(pilot, found, "exit")
        await until(pilot, lambda: "✗ SystemExit: enough" in screen(app))
        await ask(pilot, found, "last")
        assert found.answered.answers[0]["said"] == "last"
        await until(pilot, lambda: "✗" not in screen(app))

        await pilot.press("up")
        for expected in ("exit", "boom", "third", "second", "first", "first"):
            await pilot.press("up")
            assert question(found).value == expected
        await pilot.press("down")
        assert question(found).value == "second" and found.query_one(OptionInput).value == "0.5"

        await ask(pilot, found, "word " * 600)
        view = found.query_one(SampleView)
        view.focus()
        await pilot.press("down")
        await until(pilot, lambda: view.scroll_y > 0)


async def test_another_example_and_the_other_checkpoint(run: RunFolder) -> None:
    async with DlkitApp(workspace(run)).run_test(size=(80, 24)) as pilot:
        found = await opened(pilot, run)
        first, pid = question(found).value, found.asked.pid if found.asked else 0
        await pilot.press("f2")
        await until(pilot, lambda: not found.looking)
        assert question(found).value.startswith("hello") and question(found).value != first
        question(found).value = "kept"
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseDialog))
        await pilot.press("down", "enter")
        await until(pilot, lambda: pilot.app.screen is found and found.hello and not found.busy)
        await until(pilot, lambda: "last, step" in screen(pilot.app))
        assert question(found).value == "kept"
        assert found.asked is not None and found.asked.pid != pid
        assert found.hello is not None and found.hello.step == found.hello.steps[-1]


async def test_a_process_that_is_killed_is_started_again(run: RunFolder) -> None:
    async with DlkitApp(workspace(run)).run_test(size=(80, 24)) as pilot:
        found = await opened(pilot, run)
        assert found.asked is not None
        question(found).value = "slow"
        await pilot.press("enter")
        await until(pilot, lambda: "answering" in screen(pilot.app))
        os.kill(found.asked.pid, signal.SIGKILL)
        await until(pilot, lambda: "killed by SIGKILL" in screen(pilot.app))
        await until(pilot, lambda: "enter tries again" in screen(pilot.app) and not found.busy)
        question(found).value = "alive"
        await pilot.press("enter")
        await until(pilot, lambda: "alive, moodily" in screen(pilot.app))


async def test_a_run_without_a_checkpoint_says_so(run: RunFolder, tmp_path: Path) -> None:
    empty = RunFolder(tmp_path / "runs" / run.id)
    empty.path.mkdir(parents=True)
    for name in ("run.json", "config.toml"):
        (empty.path / name).write_bytes((run.path / name).read_bytes())
    app = DlkitApp(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "no model to ask yet" in screen(app))
        app.open_playground(empty)
        await until(pilot, lambda: "no checkpoint yet" in screen(app))
        for key in ("f2", "enter"):
            await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, AskScreen) and not app.screen.busy)
        assert "no checkpoint yet" in screen(app)


async def test_the_list_is_filtered(run: RunFolder) -> None:
    app = DlkitApp(workspace(run))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, PlaygroundScreen) and app.screen.query_one(Table).rows)
        await pilot.press("slash", *"task:nothing")
        await until(pilot, lambda: "no run matches" in screen(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(Table).rows and "linear" in screen(app))


async def test_a_file_is_looked_for(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / ".hidden.png").write_text("")
    monkeypatch.chdir(tmp_path)
    app = DlkitApp(workspace(run))
    taken: list[Path | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(OpenFile(tmp_path, frozenset({".png"})), taken.append)
        await until(pilot, lambda: "a.png" in screen(app))
        assert "notes.txt" not in screen(app) and "hidden" not in screen(app)
        while not (node := app.screen.query_one("Files").cursor_node) or "a.png" not in str(node.label):  # type: ignore[attr-defined]
            await pilot.press("down")
            await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: taken)
        assert taken == [tmp_path / "a.png"]
        app.push_screen(OpenFile(tmp_path), taken.append)
        await pilot.press("escape")
        await until(pilot, lambda: len(taken) == 2)
        assert taken[1] is None


async def test_leaving_while_it_loads_leaves_no_process(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[ModelProcess] = []
    first = ModelProcess._spawn
    monkeypatch.setattr(ModelProcess, "_spawn", lambda self: (started.append(self), first(self))[1])
    app = DlkitApp(workspace(run))
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_playground(run)
        await until(pilot, lambda: started and started[0].pid)
        await pilot.press("escape")
        await until(pilot, lambda: not started[0].alive)
        assert isinstance(app.screen, PlaygroundScreen)


def test_values_are_written_as_they_are_typed() -> None:
    values = (None, True, 0.5, [1, 2], "text")
    assert [written(v) for v in values] == ["", "true", "0.5", "1,2", "text"]


def test_a_folder_with_rubbish_has_no_checkpoint(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert not has_checkpoint(run)
    run.checkpoints.write_text("a file")
    assert not has_checkpoint(run)


async def test_another_component_asks_the_same_model(run: RunFolder) -> None:
    async with DlkitApp(workspace(run)).run_test(size=(100, 30)) as pilot:
        found = await opened(pilot, run)
        app = pilot.app
        assert "by moody" in screen(app)
        await until(pilot, lambda: found.query(OptionInput))
        found.query_one(OptionInput).value = "0.5"
        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        assert "not here: it needs a convolution" in screen(app) and "Three numbers in" in screen(app)
        await pilot.press("end", "enter")  # values
        await until(pilot, lambda: app.screen is found and found.inference == "values" and not found.busy)
        await until(pilot, lambda: question(found).value.count(",") == 2)  # an example, as it asks for three numbers
        assert "by values" in screen(app) and not found.query(OptionInput)
        await ask(pilot, found, "1,2,3")
        assert found.answered is not None and found.answered.answers[0].keys() == {"y"}
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press("down", "enter")  # another checkpoint, in another process, is asked by the same
        await until(pilot, lambda: found.checkpoint == "last" and found.hello and not found.busy)
        assert found.hello is not None and found.hello.inference == "values"
        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press("home", "down", "enter")  # choosy, which needs what nobody has typed
        await until(pilot, lambda: app.screen is found and "✗" in screen(app))
        assert "inference.word" in screen(app) and found.inference == "values"


async def test_it_may_be_asked_while_an_example_is_looked_for(run: RunFolder, tmp_path: Path) -> None:
    """What the validation data takes to be read keeps nobody from asking what he has typed."""
    gate = tmp_path / "gate"
    os.environ["TOY_GATE"] = str(gate)  # what the toy's data set waits for, in the helper alone
    try:
        async with DlkitApp(workspace(run)).run_test(size=(80, 24)) as pilot:
            pilot.app.open_playground(run)  # type: ignore[attr-defined]
            await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen) and pilot.app.screen.looking)
            found = pilot.app.screen
            assert isinstance(found, AskScreen) and "looking for an example" in screen(pilot.app)
            await ask(pilot, found, "mine")
            await until(pilot, lambda: "mine, moodily" in screen(pilot.app) and found.looking)
            gate.write_text("")
            await until(pilot, lambda: not found.looking)
            assert question(found).value == "mine" and "answered in" in screen(pilot.app)
    finally:
        del os.environ["TOY_GATE"]


async def test_readline_s_keys_do_what_readline_does(run: RunFolder) -> None:
    async with DlkitApp(workspace(run)).run_test(size=(80, 24)) as pilot:
        found = await opened(pilot, run)
        line, loaded = question(found), found.asked
        line.value = "one two three"
        await pilot.press("home", "ctrl+e")
        assert (line.value, line.cursor_position) == ("one two three", 13), "to the end; nothing is emptied"
        await pilot.press("ctrl+a", "ctrl+f", "ctrl+f", "ctrl+f", "ctrl+k")
        assert line.value == "one" and found.asked is loaded, "cut to the end; the model stays"
        await pilot.press("ctrl+y")
        assert line.value == "one two three"
        await pilot.press("alt+b", "ctrl+w")
        assert line.value == "one three"
        await pilot.press("ctrl+z")
        assert line.value == "one two three"
        await pilot.press("ctrl+z", "ctrl+z")
        assert line.value == "one two three", "what was cut and put back is undone"
        await pilot.press("end", *"abc", "space", *"de")
        await pilot.press("ctrl+z")
        assert line.value == "one two threeabc ", "letters of a word are one change"
        await pilot.press("alt+z", "ctrl+t")
        assert line.value == "one two threeabc ed"


async def test_two_steps_are_asked_the_same_and_the_past_is_beside_them(run: RunFolder) -> None:
    async with DlkitApp(workspace(run)).run_test(size=(140, 30)) as pilot:
        found, app = await opened(pilot, run), pilot.app
        await ask(pilot, found, "alone")
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog) and "of this run" in screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is found and found.other and found.other.hello and not found.other.busy)
        await ask(pilot, found, "both")
        await until(pilot, lambda: screen(app).count("both, moodily") == 2)
        assert found.other is not None
        assert found.other.where != found.side.where and found.other.where in screen(app)
        await until(pilot, lambda: "alone" in screen(app))  # beside the answers
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.screen is found and "alone, moodily" in screen(app))
        assert question(found).value == "alone" and "answered before" in screen(app)
        asked = found.other.asked
        await pilot.press("f7")
        await until(pilot, lambda: found.other is None and asked is not None and not asked.alive)
