"""A walk through the interface by keys drawn at random, in a window whose size changes: is what is shown what would be
shown, if all of it were drawn anew?"""

from __future__ import annotations

import gc
import random
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from textual.command import CommandPalette
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widget import Widget

from dlkit.tui.app import DlkitApp
from dlkit.tui.shared.dialogs import Confirm

KEYS = (
    *("up", "down", "left", "right", "pageup", "pagedown", "home", "end", "tab", "shift+tab"),
    *("enter", "enter", "escape", "escape", "escape", "space", "backspace", "question_mark", "slash"),
    *"12345cslmoegtyzivnpkjaCDGMPS+-<>[].,",
    *("shift+left", "shift+right", "ctrl+p", "ctrl+r", "ctrl+n", "ctrl+f"),
)
"""All but what leaves the interface, or ends, deletes and begins runs (``BUSY``)."""
SIZES = ((80, 24), (120, 35), (160, 50), (60, 20), (40, 12), (200, 60), (81, 25))
HASTE = 5
"""Keys after which everything may come to rest."""
REST = 1.0
"""Seconds in which what was begun comes to its end before it is compared."""
AFTER = 100
"""Keys between two looks at whether what is shown is true."""
_GOING = "loading the model"
_CHANGES = re.compile(r"\d+([.,]\d+)*")
"""Numbers go on by themselves: times, rates, loads."""


class Walked(NamedTuple):
    keys: int
    resizes: int
    screens: frozenset[str]
    stale: list[str]
    widgets: list[int]
    """How many there were after each part of the walk, back where it began."""


async def walk(
    app: DlkitApp, pilot: Pilot[None], places: Iterable[Callable[[], object]], *, keys: int, resizes: int, seed: int
) -> Walked:
    """``places`` open screens that keys alone would seldom find; each part of the walk begins at one of them."""
    draw = random.Random(seed)
    openers = list(places)
    sizes = set(draw.sample(range(keys), resizes))
    screens: set[str] = set()
    stale: list[str] = []
    widgets: list[int] = []
    for number in range(keys):
        if number % AFTER == 0:
            await _home(pilot)
            widgets.append(_widgets())
            openers[number // AFTER % len(openers)]()
            await pilot.pause()
            screens.add(type(app.screen).__name__)
        if number in sizes:
            await pilot.resize_terminal(*draw.choice(SIZES))
        await _typed(app, pilot, draw.choice(KEYS), number)
        screens.add(type(app.screen).__name__)
        if number % AFTER == AFTER - 1:
            stale += [f"after {number + 1} keys, {line}" for line in await _stale(app, pilot)]
    await _home(pilot)
    widgets.append(_widgets())
    return Walked(keys, resizes, frozenset(screens), stale, widgets)


async def _typed(app: DlkitApp, pilot: Pilot[None], key: str, number: int) -> None:
    """A key as somebody in a hurry types it: the pilot waits after each until nothing moves, ten times as long."""
    app.post_message(Key(_character_to_key(key) if len(key) == 1 else key, key if len(key) == 1 else None))
    if number % HASTE == 0:
        await pilot.pause()
    else:
        await pilot._wait_for_screen()


async def _home(pilot: Pilot[None]) -> None:
    """Back where it began, nothing left open in any area, so that widgets can be counted."""
    await _closed(pilot)
    for mode in [*pilot.app.MODES, "home"]:
        pilot.app.switch_mode(mode)
        await pilot.pause()
        await _closed(pilot)


async def _closed(pilot: Pilot[None]) -> None:
    for _ in range(100):  # some take two: a field is left first, and a form that was changed asks
        if len(pilot.app.screen_stack) == 1:
            return
        await pilot.press("y" if isinstance(pilot.app.screen, Confirm) else "escape")
    raise AssertionError(f"escape does not close {pilot.app.screen_stack}")


def _widgets() -> int:
    gc.collect()
    return sum(issubclass(type(found), Widget) for found in gc.get_objects())


async def _stale(app: DlkitApp, pilot: Pilot[None]) -> list[str]:
    """Lines that are not what is drawn when all is drawn anew; nothing is polled meanwhile."""
    if isinstance(app.screen, CommandPalette):  # Textual's own, which goes on looking
        return []
    sources = [source for source in app.poller._sources if not source.closed]
    for source in sources:
        source.closed = True
    app.clear_notifications()  # which go by themselves
    while any(_GOING in text for text, _ in _drawn(app)):  # a model that is being loaded is not waited for by REST
        await pilot.pause(REST)
    await pilot.pause(REST)
    before = _drawn(app)
    for widget in app.screen.walk_children(Widget, with_self=True):
        widget._styles_cache.clear()
        if hasattr(widget, "_drawn_for"):
            widget._drawn_for = ()
        widget.refresh(layout=True)
    await pilot.pause()
    await pilot.pause()
    after = _drawn(app)
    for source in sources:
        source.closed = False
        app.poller._sources.append(source)
    where = type(app.screen).__name__
    return [
        f"{where} {app.size}, line {number}: {one[0]!r} was {other[0]!r}"
        for number, (other, one) in enumerate(zip(before, after, strict=True))
        if one != other
    ]


def _drawn(app: DlkitApp) -> list[tuple[str, list[str]]]:
    """Each line's text without its numbers, and its colours."""
    found = []
    for strip in app.screen._compositor.render_strips():
        text = _CHANGES.sub("0", "".join(segment.text for segment in strip))
        found.append((text, [str(segment.style) for segment in strip if segment.text.strip()]))
    return found
