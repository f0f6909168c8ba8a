"""A walk through the interface by keys drawn at random, in a window whose size changes: is what is shown what would be
shown, if all of it were drawn anew?"""

from __future__ import annotations

import gc
import random
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import psutil
from rich.segment import Segment
from textual.command import CommandPalette
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

from dlkit.tui.app import DlkitApp
from dlkit.tui.playground.ask import AskScreen
from dlkit.tui.playground.side import LOADING
from dlkit.tui.shared.dialogs import Confirm

KEYS = (
    *("up", "down", "left", "right", "pageup", "pagedown", "home", "end", "tab", "shift+tab"),
    *("enter", "enter", "escape", "escape", "escape", "space", "backspace", "question_mark", "slash"),
    *"12345cslmoegtyzivnpkjaCDGMPS+-<>[].,",
    *("shift+left", "shift+right", "ctrl+p", "ctrl+r", "ctrl+n", "ctrl+f"),
)
"""All but what leaves the interface, or ends, deletes and begins runs (``BUSY``)."""
SIZES = ((80, 24), (120, 35), (160, 50), (60, 20), (40, 12), (200, 60), (81, 25))
Step: TypeAlias = str | tuple[int, int]
"""A key, or a size that the window gets."""
HASTE = 5
"""Keys after which everything may come to rest."""
REST = 1.0
"""Seconds in which what was begun comes to its end before it is compared."""
AFTER = 100
"""Keys between two looks at whether what is shown is true."""
_CHANGES = re.compile(r"\d+([.,]\d+)*")
"""Numbers go on by themselves: times, rates, loads."""


Line: TypeAlias = tuple[str, list[str]]
"""The text of a line without its numbers, and its colours."""


class Walked(NamedTuple):
    keys: int
    resizes: int
    screens: frozenset[str]
    stale: list[str]
    widgets: list[int]
    """How many there were after each part of the walk, back where it began."""


async def walk(
    app: DlkitApp,
    pilot: Pilot[None],
    places: Iterable[Callable[[], object]],
    *,
    keys: int,
    resizes: int,
    seed: int,
    first: int = 0,
) -> Walked:
    """``places`` open screens that keys alone would seldom find; each part of the walk begins at one of them.

    A part is drawn from the seed and its number alone: with ``first`` one begins the walk at that part. What each
    found is printed when it is found, with the way that led there, so that a walk can be looked at while it goes on.
    """
    openers = list(places)
    screens: set[str] = set()
    stale: list[str] = []
    widgets: list[int] = []
    for part in range(first, first + keys // AFTER):
        await _home(pilot)
        widgets.append(_widgets())
        openers[part % len(openers)]()
        await pilot.pause()
        way = _way(random.Random(f"{seed} {part}"), resizes * AFTER // keys)
        for number, step in enumerate(way):
            screens.add(type(app.screen).__name__)
            await _taken(app, pilot, step, number)
        found = await _stale(app, pilot)
        stale += [f"seed {seed}, part {part}: {line}" for line in found]
        _told(seed, part, type(app.screen).__name__, widgets[-1], found, way)
    await _home(pilot)
    widgets.append(_widgets())
    return Walked(keys, resizes, frozenset(screens), stale, widgets)


def _way(draw: random.Random, resizes: int) -> list[Step]:
    """A part's keys, and sizes of the window among them."""
    way: list[Step] = [draw.choice(KEYS) for _ in range(AFTER)]
    for place in draw.sample(range(AFTER), resizes):
        way.insert(place, draw.choice(SIZES))
    return way


def _told(seed: int, part: int, screen: str, widgets: int, found: list[str], way: list[Step]) -> None:
    resident = psutil.Process().memory_info().rss // 2**20
    print(f"seed {seed} part {part}: {screen}, {widgets} widgets, {resident} MiB", flush=True)
    for line in found:
        print(f"  STALE {line}", flush=True)
    if found:
        print("  by", *(step if isinstance(step, str) else "{}x{}".format(*step) for step in way), flush=True)


async def _taken(app: DlkitApp, pilot: Pilot[None], step: Step, number: int) -> None:
    if isinstance(step, str):
        await _typed(app, pilot, step, number)
    else:
        await pilot.resize_terminal(*step)


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
    await _without_notices(app, pilot)
    while _loading(app):  # which takes longer than REST
        await pilot.pause(REST)
    await pilot.pause(REST)
    await _without_notices(app, pilot)
    _unblinking(app)
    await pilot.pause()
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
        f"{where} {app.size.width}x{app.size.height}, line {number}: {_apart(shown, fresh)}"
        for number, (shown, fresh) in enumerate(zip(before, after, strict=True))
        if shown != fresh
    ]


def _loading(app: DlkitApp) -> bool:
    """Whether a model is being loaded, on this screen or on one of which little is seen below it."""
    asking = (screen for screen in app.screen_stack if isinstance(screen, AskScreen))
    return any(side.busy == LOADING for screen in asking for side in (screen.side, screen.other) if side is not None)


def _unblinking(app: DlkitApp) -> None:
    """A cursor in a field is to be seen half of the time."""
    for field in app.screen.query(Input):
        field.cursor_blink = False
        field._pause_blink()


async def _without_notices(app: DlkitApp, pilot: Pilot[None]) -> None:
    """They go by themselves, in the midst of a comparison too: on this screen, and on one that is seen below it, of
    which the app does not think when it is told to clear them."""
    app.clear_notifications()
    for screen in app.screen_stack:
        await screen.query("ToastHolder").remove()
    await pilot.pause()


def _apart(shown: Line, fresh: Line) -> str:
    if shown[0] != fresh[0]:
        return f"shown {shown[0]!r}, fresh {fresh[0]!r}"
    colours = [f"{one} for {other}" for one, other in zip(shown[1], fresh[1], strict=False) if one != other]
    return f"{shown[0]!r} in other colours: {'; '.join(colours[:3])}"


def _drawn(app: DlkitApp) -> list[Line]:
    """Each line's text without its numbers, and its colours."""
    found = []
    for strip in app.screen._compositor.render_strips():
        text = _CHANGES.sub("0", "".join(segment.text for segment in strip))
        segments = Segment.simplify(strip)
        found.append((text, [str(segment.style) for segment in segments if segment.text.strip()]))
    return found
