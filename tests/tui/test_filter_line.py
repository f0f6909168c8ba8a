"""The line that opens with a stroke: the same on every screen that has one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from dlkit.tui.app import DlkitApp
from dlkit.tui.shared.filter_line import FilterLine
from recorded import record_run
from screens import opened, press, shown, until

Go = Callable[[DlkitApp, Pilot[None], Path], Awaitable[None]]


async def runs(app: DlkitApp, pilot: Pilot[None], workspace: Path) -> None:
    await press(pilot, "2")


async def playground(app: DlkitApp, pilot: Pilot[None], workspace: Path) -> None:
    await press(pilot, "4")


async def curves(app: DlkitApp, pilot: Pilot[None], workspace: Path) -> None:
    app.open_run(record_run(workspace, 2))
    await until(pilot, lambda: "train/loss" in shown(app))


async def log(app: DlkitApp, pilot: Pilot[None], workspace: Path) -> None:
    await curves(app, pilot, workspace)
    await press(pilot, "l")


async def compared(app: DlkitApp, pilot: Pilot[None], workspace: Path) -> None:
    app.open_compare([record_run(workspace, 3), record_run(workspace, 4)])
    await until(pilot, lambda: "val/mse" in shown(app))


async def launch(app: DlkitApp, pilot: Pilot[None], workspace: Path) -> None:
    app.open_launch("toy")
    await until(pilot, lambda: "ready" in shown(app))


@pytest.mark.parametrize("go", [runs, playground, curves, log, compared, launch])
async def test_it_opens_is_kept_and_is_left_alike(go: Go, toy_installed: Path, tmp_path: Path) -> None:
    record_run(tmp_path)
    async with opened(tmp_path) as (app, pilot):
        await go(app, pilot, tmp_path)
        screen = app.screen
        line = screen.query(FilterLine).last()  # a run's log comes after its curves
        assert not line.display
        await press(pilot, "slash")
        assert line.display and line.field.has_focus
        await press(pilot, *"l/ ?")
        assert line.field.value == "l/ ?" and app.screen is screen, "what is typed means nothing else"
        keys = shown(app).splitlines()[-1].strip()
        assert keys.startswith("⏎ Done  esc Clear  ") and keys.endswith("F1 Help") and "/" not in keys
        await press(pilot, "enter")
        assert line.display
        await press(pilot, "escape")
        await until(pilot, lambda: not line.display and not line.field.value)
        assert app.screen is screen and not line.field.has_focus
        await press(pilot, "slash", "space", "enter")
        assert not line.display, "nothing is left out, so there is nothing to be seen of it"
        assert not line.field.has_focus
