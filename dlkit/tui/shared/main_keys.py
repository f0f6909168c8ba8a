"""The line at the bottom: the few main keys, as many as there is room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.events import Click, MouseMove
from textual.screen import Screen
from textual.widget import Widget

ALWAYS = ("quit", "help")
"""Actions whose keys are named in every width: how to get out, and where the rest is explained."""


class Key(NamedTuple):
    """A key as it is pressed and as it is written, what it does in a word and in a sentence."""

    key: str
    shown: str
    name: str
    tooltip: str
    action: str

    @property
    def width(self) -> int:
        """A blank on either side of the key, one after what it does."""
        return cell_len(self.shown) + cell_len(self.name) + 3


class MainKeys(Widget):
    """Names what can be done now (``Area.applies``); in a narrow terminal the last ones give way, help and the way
    out never do. All keys work whether they are named or not. A click on a key presses it.

    One widget for all of them: Textual's Footer makes its keys again with every change of focus.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"main-keys--key"}
    DEFAULT_CSS = """
    MainKeys { dock: bottom; height: 1; background: $footer-background; color: $footer-description-foreground;
               text-wrap: nowrap; pointer: pointer; }
    MainKeys > .main-keys--key { color: $footer-key-foreground; text-style: bold; }
    """

    def __init__(self, applies: Callable[[str], bool]) -> None:
        """``applies``: whether there is use for an action now."""
        super().__init__()
        self._applies = applies

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _changed(self, _: Screen[object]) -> None:
        self.refresh()

    @property
    def keys(self) -> list[Key]:
        """Those that are named."""
        found: dict[str, Key] = {}
        for _, binding, enabled, tooltip in self.screen.active_bindings.values():
            if binding.show and enabled and self._applies(binding.action):
                shown = self.app.get_key_display(binding)
                key = Key(binding.key, shown, binding.description, tooltip, binding.action)
                found.setdefault(binding.action, key)
        return _fitting(list(found.values()), self.app.size.width)

    def render(self) -> Text:
        style = self.get_component_rich_style("main-keys--key", partial=True)
        text = Text(no_wrap=True, end="")
        for key in self.keys:
            press = Style(meta={"press": key.key, "tooltip": key.tooltip})
            text.append(f" {key.shown} ", style + press).append(f"{key.name} ", press)
        return text

    def on_click(self, event: Click) -> None:
        key = event.style.meta.get("press")
        if key:
            self.app.simulate_key(key)

    def on_mouse_move(self, event: MouseMove) -> None:
        self.tooltip = event.style.meta.get("tooltip") or None


def _fitting(keys: list[Key], width: int) -> list[Key]:
    room = width - sum(key.width for key in keys if key.action in ALWAYS)
    named = []
    for key in keys:
        if key.action not in ALWAYS:
            room -= key.width
        if key.action in ALWAYS or room >= 0:
            named.append(key)
    return named
