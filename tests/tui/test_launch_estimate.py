"""The form says whether its run fits and how long it takes, when it is asked; nobody waits for it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from dlkit.monitor import form_estimate
from dlkit.monitor.form_estimate import FormEstimate
from dlkit.runs.estimates import Estimate
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import list_runs
from dlkit.tui.app import DlkitApp
from dlkit.tui.launch.estimate_line import EstimateLine
from dlkit.tui.run.screen import RunScreen
from forms import launch_toy, screen_of, settled, type_in
from screens import opened, press, until
from waiting import LONG

FULL = Estimate(fits=False, problem="out of memory (in training)", advice=["--batch-size 8: try that"])


def line(app: DlkitApp) -> EstimateLine:
    return screen_of(app).query_one(EstimateLine)


async def asked(app: DlkitApp, pilot: Pilot[None], answer: str) -> None:
    """F2, and its answer."""
    await press(pilot, "f2")
    await until(pilot, lambda: answer in line(app).text)
    assert line(app).display


@pytest.mark.usefixtures("imported")
async def test_what_it_takes_is_said_and_is_on_the_runs_record(
    workspace: Path, quick: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form_estimate, "SECONDS", 0.05)
    async with opened(workspace, size=(80, 24)) as (app, pilot):
        await launch_toy(app, pilot)
        assert not line(app).display, "an idle form costs nothing"
        await asked(app, pilot, "on the disk")
        assert line(app).text.startswith("about ") and not line(app).has_class("wrong")
        assert not list(workspace.iterdir())
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        (run,) = list_runs(workspace)
        known = RunFolder(workspace / "runs" / run.id).read()["estimate"]
        assert known["steps"] == 18 and known["memory"]


@pytest.mark.usefixtures("imported")
async def test_a_list_of_numbers_is_told_as_a_study_is(workspace: Path, quick: dict[str, str]) -> None:
    async with opened(workspace) as (app, pilot):
        await launch_toy(app, pilot)
        await type_in(app, pilot, "trainer.lr", "0.01, 0.02, 0.03")
        await settled(app, pilot)
        await asked(app, pilot, "3 runs one after the other: about ")


async def test_what_does_not_fit_says_what_to_change(
    workspace: Path, quick: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form_estimate, "estimate", lambda *_, **__: FULL)
    async with opened(workspace) as (app, pilot):
        await launch_toy(app, pilot)
        await asked(app, pilot, "does not fit: out of memory (in training). To change: --batch-size 8: try that")
        assert line(app).has_class("wrong")
        await type_in(app, pilot, "engine.epochs", "4")
        assert not line(app).display, "it was said of another form"


class Slow:
    """In the place of ``estimate``: takes until its process is ended, which it counts."""

    def __init__(self) -> None:
        self.began, self.ended = threading.Event(), threading.Event()

    def end(self) -> None:
        self.ended.set()

    def __call__(self, *_: object, begun: Any, **__: object) -> Estimate:
        begun(self)
        self.began.set()
        assert self.ended.wait(LONG)
        return FULL


@pytest.mark.parametrize("how", ["changed", "left", "asked again"])
async def test_nobody_waits_for_an_answer_to_another_question(
    how: str, workspace: Path, quick: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    monkeypatch.setattr(form_estimate, "estimate", slow)
    async with opened(workspace) as (app, pilot):
        await launch_toy(app, pilot)
        await press(pilot, "f2")
        await until(pilot, slow.began.is_set)
        shown = line(app)
        assert shown.text == "trying a few steps …" and not slow.ended.is_set()
        if how == "changed":
            await type_in(app, pilot, "engine.epochs", "4")
        elif how == "left":
            app.pop_screen()
        else:
            monkeypatch.setattr(form_estimate, "estimate", lambda *_, **__: FULL)
            await press(pilot, "f2")
        await until(pilot, slow.ended.is_set)
        if how == "asked again":
            await until(pilot, lambda: "does not fit" in shown.text)


def test_a_process_that_is_ended_while_it_starts_ends() -> None:
    slow, question = Slow(), FormEstimate()
    question.end()
    question._begun(slow)  # type: ignore[arg-type]
    assert slow.ended.is_set()
