"""What all screens have in common: the line with the areas at the top, the few main keys at the bottom."""

from __future__ import annotations

import string
from pathlib import Path
from typing import ClassVar, Protocol, cast

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Horizontal
from textual.keys import _character_to_key
from textual.screen import Screen
from textual.widgets import Static

from dlkit.tui.shared.host import Host
from dlkit.tui.shared.main_keys import MainKeys

AREAS = {"home": "Home", "runs": "Runs", "queue": "Queue", "playground": "Playground", "studies": "Studies"}
"""Areas by mode, in the order of their keys 1 to 5."""

TYPED = frozenset(map(_character_to_key, string.punctuation))
"""Keys that are a character; Textual does not know it of all of them (``slash``, ``plus``)."""


class Closable(Protocol):
    """Something that is looked at until it is closed, whatever is found there."""

    def close(self) -> None: ...


class Area(Screen[None]):
    """Base of all full screens. ``area`` is the one of ``AREAS`` that this screen belongs to, ``body()`` what is
    between the lines; ``where`` says in the top line what is being looked at, as ``say_where`` does."""

    area: ClassVar[str] = ""
    tour: ClassVar[str] = ""
    """What somebody is told here, in the top line, who had no run when the interface was opened: the next key."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", show=False, id="back"),
    ]

    def __init__(self, *where: str) -> None:
        super().__init__()
        self._where = where or ("",)
        self._shown_sources: list[Closable] = []

    @property
    def dlkit(self) -> Host:
        """The app, by its own type."""
        return cast("Host", self.app)

    @property
    def workspace(self) -> Path:
        return self.dlkit.workspace

    def compose(self) -> ComposeResult:
        tells = self.tour and self.dlkit.touring
        yield TopLine(self.area, *tour_words(self.tour)) if tells else TopLine(self.area, *self._where)
        yield from self.body()
        yield MainKeys(self.applies)

    def body(self) -> ComposeResult:
        raise NotImplementedError

    def while_shown(self, *sources: Closable) -> None:
        """Have these closed when another screen comes before this one: ask anew in ``on_screen_resume``."""
        self._shown_sources += sources

    def on_screen_suspend(self) -> None:
        self._close_sources()

    def on_unmount(self) -> None:
        self._close_sources()

    def _close_sources(self) -> None:
        for source in self._shown_sources:
            source.close()
        self._shown_sources = []

    def say_where(self, *texts: str) -> None:
        """Change what the top line says is being looked at: the first of these that it has room for, else the last."""
        if not (self.tour and self.dlkit.touring):
            self.query_one(TopLine).say_where(*texts)

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """Those that do something now: a key that is typed into a field has no other meaning."""
        found, focused = super().active_bindings, self.focused
        if focused is None or not focused.check_consume_key("a", "a"):
            return found
        return {key: binding for key, binding in found.items() if key not in TYPED}

    def end_tour(self, where: str) -> None:
        """The first answer is there: nothing more is told, here or elsewhere."""
        if self.dlkit.touring:
            self.dlkit.touring = False
            self.say_where(where)

    def applies(self, action: str) -> bool:
        """Whether there is use for an action now: the line at the bottom names those only. Where that changes,
        call ``refresh_bindings()``."""
        return True

    def action_back(self) -> None:
        """To the screen before this one; the first of an area stays."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()


def tour_words(text: str) -> tuple[str, str]:
    """As long as there is room for."""
    return f"first minute, {text}", text


class TopLine(Horizontal):
    """The areas, the present one marked; a click goes there."""

    DEFAULT_CSS = """
    TopLine { dock: top; height: 1; background: $panel; }
    TopLine > Static { width: auto; height: 1; padding: 0 1; color: $text-muted; }
    TopLine > Static.here { color: $text; text-style: bold reverse; }
    TopLine > #where { width: 1fr; padding: 0 1 0 0; text-align: right; color: $text;
                   text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, area: str, *where: str) -> None:
        super().__init__()
        self._area, self._texts = area, where

    def compose(self) -> ComposeResult:
        for number, (mode, title) in enumerate(AREAS.items(), 1):
            yield AreaName(f"{number} {title}", mode, here=mode == self._area)
        yield Static(self._texts[0], id="where", markup=False)

    def say_where(self, *texts: str) -> None:
        self._texts = texts
        place = self.query_one("#where", Static)
        room = place.content_size.width
        place.update(next((text for text in texts if cell_len(text) <= room), texts[-1]), layout=False)

    def on_resize(self) -> None:
        self.say_where(*self._texts)


class AreaName(Static):
    def __init__(self, text: str, mode: str, *, here: bool) -> None:
        super().__init__(text, classes="here" if here else "", markup=False)
        self._mode = mode

    async def on_click(self) -> None:
        await self.run_action(f"app.area('{self._mode}')")
