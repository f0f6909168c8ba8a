"""No text of a run or a plugin steers the terminal, whatever screen shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.pilot import Pilot
from textual.widgets import Static

from dlkit.runs.folder import RunFolder
from dlkit.tui.app import FIRST, DlkitApp
from dlkit.tui.run.screen import PANES, RunScreen
from dlkit.tui.shared.dialogs import Ask, Confirm, TextDialog
from dlkit.tui.shared.fit_lines import FIT_LINES
from planted import EVIL, install_planted, record_planted, steering
from screens import opened, press, shown, until

WIDE = (160, 50)
WORD = "forged"
"""Is in every planted text, and so on every screen that shows one."""


@pytest.fixture
def workspace(tmp_path: Path, toy_installed: Path) -> Path:
    """Planted runs in all states, and two loud plugins."""
    install_planted(toy_installed)
    for number, state in enumerate(("failed", "completed", "interrupted", "queued")):
        record_planted(tmp_path, number, state)
    return tmp_path


def newest(workspace: Path) -> RunFolder:
    return RunFolder(max((workspace / "runs").iterdir()))


async def check(app: DlkitApp, pilot: Pilot[None], why: str, word: str = WORD) -> None:
    """The screen shows a planted text, and nothing of it that steers."""
    await until(pilot, lambda: word in shown(app), f"{why}: {word}")
    assert not [found for line in shown(app).splitlines() for found in steering(line)], why


@pytest.mark.parametrize("area", FIRST)
async def test_no_list(area: str, workspace: Path) -> None:
    async with opened(workspace, WIDE) as (app, pilot):
        await press(pilot, str(1 + list(FIRST).index(area)))
        word = "" if area == "playground" else WORD  # nothing to ask: planted runs have no checkpoints
        await check(app, pilot, area, word)
        await press(pilot, "end")
        await check(app, pilot, area, word)


@pytest.mark.parametrize("pane", PANES)
async def test_no_pane_of_a_run(pane: str, workspace: Path) -> None:
    async with opened(workspace, WIDE) as (app, pilot):
        for run in (workspace / "runs").iterdir():
            app.open_run(RunFolder(run))
            await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view.version)
            await press(pilot, PANES[pane][0])
            await check(app, pilot, f"{pane} of {run.name}")
            await press(pilot, "end", "enter")
            await check(app, pilot, f"{pane} of {run.name}, opened")
            if app.screen.is_modal:
                await press(pilot, "escape")


async def test_no_comparison(workspace: Path) -> None:
    async with opened(workspace, WIDE) as (app, pilot):
        app.open_compare([RunFolder(run) for run in (workspace / "runs").iterdir()])
        await check(app, pilot, "compare", word="owned")  # cut before its end


async def test_no_form(workspace: Path) -> None:
    async with opened(workspace, WIDE) as (app, pilot):
        app.open_launch("loud")
        await check(app, pilot, "launch", word="owned")


async def test_no_model_that_is_asked(workspace: Path) -> None:
    async with opened(workspace, WIDE) as (app, pilot):
        app.open_playground(newest(workspace))
        await check(app, pilot, "playground", word=newest(workspace).id)


async def test_no_dialog_notice_or_palette(workspace: Path) -> None:
    async with opened(workspace, WIDE) as (app, pilot):
        app.notify(EVIL, title=EVIL, markup=False)
        await check(app, pilot, "notice")
        for dialog in (Confirm(EVIL, EVIL), Ask(EVIL, EVIL), TextDialog(EVIL, EVIL)):
            app.push_screen(dialog)
            await check(app, pilot, type(dialog).__name__)
            app.pop_screen()
        await press(pilot, "ctrl+p")
        await pilot.press(*"owned")
        await check(app, pilot, "palette", word="owned")


async def test_no_widget_that_forgot(workspace: Path) -> None:
    async with opened(workspace, WIDE) as (app, pilot):
        await app.screen.mount(Static(EVIL, markup=False, id="evil"))
        widget = app.screen.query_one("#evil")
        widget.border_title = widget.tooltip = EVIL
        widget.styles.border = ("solid", "red")
        widget.styles.dock = "top"
        await check(app, pilot, "a widget")


def test_a_line_stays_as_wide_as_it_was() -> None:
    segments = [Segment("plain"), Segment(f"{EVIL}語"), Segment("\x1b[2J", control=((3, 0),))]  # type: ignore[arg-type]
    fit = FIT_LINES.apply(segments, Color(0, 0, 0))
    assert [s.cell_length for s in fit] == [s.cell_length for s in segments]
    assert fit[0] is segments[0] and fit[2] is segments[2], "what is fit, and what a picture is made of, stays"
    assert not steering(fit[1].text)
