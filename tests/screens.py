"""Driving the interface in tests: open it on a workspace, wait for what should come, read what is on the screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot

from dlkit.tui.app import DlkitApp
from waiting import LONG


@asynccontextmanager
async def opened(workspace: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[DlkitApp, Pilot[None]]]:
    """The interface on a workspace, once it has looked at it and loaded the plugins."""
    app = DlkitApp(workspace)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.looked and app.catalog is not None)
        yield app, pilot


async def until(pilot: Pilot[None], holds: Callable[[], object], why: str = "") -> None:
    """Wait for something to become true; AssertionError with the screen if it does not."""
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        await pilot.pause()
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{why or 'what was waited for'} did not come; the screen:\n{shown(pilot.app)}")


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Keys one after the other, each one's effect awaited."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


async def typed(pilot: Pilot[None], *keys: str) -> None:
    """Keys in quick succession: the pilot waits after each until the process idles, four times as long."""
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 else key
        pilot.app.post_message(Key(name, key if len(key) == 1 else None))
        for _ in range(3):  # the app hands it on, its widget acts, and a change of focus is another message
            await pilot._wait_for_screen()
    await pilot.pause()


def shown(app: object) -> str:
    """The text on the screen."""
    assert isinstance(app, DlkitApp | object)
    screen = app.screen  # type: ignore[attr-defined]
    strips = screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def notices(app: DlkitApp) -> list[str]:
    """What has been said in notices."""
    return [notification.message for notification in app._notifications]
