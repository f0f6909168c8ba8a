"""No text of a run or a plugin steers the terminal, whatever screen shows it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.pilot import Pilot
from textual.widgets import Static

from asked import asked, recorded
from dlkit.runs.folder import RunFolder
from dlkit.studies import log
from dlkit.tui.app import FIRST, DlkitApp
from dlkit.tui.run.screen import PANES, RunScreen
from dlkit.tui.shared.dialogs import Ask, Confirm, TextDialog
from dlkit.tui.shared.fit_lines import FIT_LINES
from forms import part
from installed import TESTS
from planted import EVIL, PAINT, install_planted, record_planted, steering
from screens import opened, press, shown, until
from terminal import Terminal
from waiting import LONG

WIDE = (160, 50)
ENTER, ESCAPE = "\r", "\x1b"
WALK = (
    ("", "embedded"), ("G", "cannot offer"), (ENTER, "y: copy"), (ESCAPE, "-y: copy"),
    ("g", "  unknown"), ("jjjj", "metric "), (ENTER, "Gradient de"), (ESCAPE, "-Gradient de"),
    ("2", "4 runs"), (ENTER, "c Curves"), ("s", "step 24"), ("l", "following"), ("m", "CPU  10"), ("o", "versions"),
    ("e", "retried"), (ENTER, "train_seconds"), (ESCAPE, "-train_seconds"), (ESCAPE, "4 runs"), (" ", "1 marked"),
    (" ", "2 marked"), ("c", "Group by"), (ESCAPE, "-Group by"),
    ("D", "cannot be undone"), ("n", "-cannot be undone"), ("3", "prio"), ("4", "to ask"), ("?", "Everywhere"),
)  # fmt: skip
"""Keys, and what they bring about; after a minus, what goes by them."""
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


def planted_study(workspace: Path) -> None:
    """One that is finished: nobody starts its driver."""
    study = asked(workspace, "lr=0.1,0.2")
    name = json.dumps(EVIL.replace("\udc9b", "")).replace("\x7f", "\\u007f")  # as a text of TOML
    study.question.write_text(study.question.read_text().replace('name = ""', f"name = {name}"))
    recorded(study, {(0, 0): 1.0, (1, 0): 2.0})
    log.append(study.log, "ended", trial=1, state="failed", reason=EVIL)
    log.append(study.log, "finished", reason=EVIL)


async def check(app: DlkitApp, pilot: Pilot[None], why: str, word: str = WORD) -> None:
    """The screen shows a planted text, and nothing of it that steers."""
    await until(pilot, lambda: word in shown(app), f"{why}: {word}")
    for line in shown(app).splitlines():
        assert not steering(line), why
        assert not re.search(r"(?<!�)(?<!x1b)\]0;owned", line), f"{why}: what was taken out of {line!r} is to be seen"


@pytest.mark.parametrize("area", FIRST)
async def test_no_list(area: str, workspace: Path) -> None:
    planted_study(workspace)
    async with opened(workspace, WIDE) as (app, pilot):
        await press(pilot, str(1 + list(FIRST).index(area)))
        word = "" if area == "playground" else WORD  # nothing to ask: planted runs have no checkpoints
        await check(app, pilot, area, word)
        await press(pilot, "end")
        await check(app, pilot, area, word)


@pytest.mark.parametrize(
    "pane", [*list(PANES)[:1], *(pytest.param(pane, marks=pytest.mark.slow) for pane in list(PANES)[1:])]
)
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
        part(app, "preset").focus()
        await press(pilot, "enter")
        await check(app, pilot, "presets", word="is broken")


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


DRIVER = re.compile(r"\x1b\[[?>=<]?[\d;:]*[$ ]?[A-HJKSTcfhlmnpqrstu]|\x1b\]22;[a-z-]+\x07|\r")
"""The cursor, colours, modes, the mouse's pointer: what Textual writes, and dlkit asks."""


def test_no_byte_that_reaches_a_terminal(workspace: Path, toy_installed: Path) -> None:
    """Every area, every pane and the dialogs, by keys, on a real terminal."""
    environment = {
        "PYTHONPATH": f"{toy_installed}:{TESTS}",
        "DLKIT_WORKSPACE": str(workspace),
        "TERM": "xterm-256color",
    }
    words = [sys.executable, "-m", "dlkit"]
    with Terminal(words, columns=WIDE[0], lines=WIDE[1], environment=environment) as terminal:
        for keys, word in WALK:
            terminal.send(keys)
            terminal.wait_for(lambda text, word=word: (word.removeprefix("-") in text) != word.startswith("-"))
        terminal.send("\x11")
        while terminal.read(0.5):
            pass
        assert terminal.process.wait(LONG) == 0
    written = terminal.came.decode()
    assert PAINT not in written and not steering(DRIVER.sub("", written))
