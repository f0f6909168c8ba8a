"""The palette of actions, opened and left faster than it is drawn."""

from __future__ import annotations

from pathlib import Path

from textual.command import CommandPalette

from screens import opened


async def test_it_is_opened_again_while_the_last_one_is_still_being_closed(tmp_path: Path) -> None:
    async with opened(tmp_path, (80, 24)) as (app, pilot):
        app.action_command_palette()
        await pilot.pause()
        app.pop_screen()
        app.action_command_palette()
        await pilot.pause()
        assert isinstance(app.screen, CommandPalette) and len(app.screen_stack) == 2
