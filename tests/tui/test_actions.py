"""What is opened and left faster than it is drawn: the palette of actions, notices."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.events import Key
from textual.widgets._toast import ToastHolder

from screens import opened, shown, until


async def test_it_is_opened_again_while_the_last_one_is_still_being_closed(tmp_path: Path) -> None:
    async with opened(tmp_path, (80, 24)) as (app, pilot):
        app.action_command_palette()
        await pilot.pause()
        app.pop_screen()
        app.action_command_palette()
        await pilot.pause()
        assert isinstance(app.screen, CommandPalette) and len(app.screen_stack) == 2


@pytest.mark.parametrize("size", [(80, 24), (40, 6), (20, 3)])
async def test_paging_in_it_where_no_action_is_seen(size: tuple[int, int], tmp_path: Path) -> None:
    async with opened(tmp_path, (80, 24)) as (app, pilot):
        await pilot.resize_terminal(*size)
        app.action_command_palette()
        for key in ("pageup", "pagedown") * 3:
            app.post_message(Key(key, None))
        await pilot.pause()
        await pilot.press("pagedown", "pageup")
        assert isinstance(app.screen, CommandPalette)


async def test_nothing_is_left_of_notices_that_ended_while_another_screen_was_shown(tmp_path: Path) -> None:
    async with opened(tmp_path, (80, 24)) as (app, pilot):
        for number in range(6):
            app.notify(f"notice {number}")
            await pilot.pause()
            app.switch_mode("runs" if number % 2 == 0 else "home")
            await pilot.pause()
            app.clear_notifications()
        await pilot.pause()
        for mode in ("home", "runs"):
            app.switch_mode(mode)
            await until(pilot, lambda: not app.screen.query(ToastHolder), "holders are left")
        app.notify("one more")
        await until(pilot, lambda: "one more" in shown(app))
