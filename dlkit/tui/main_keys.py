"""The line at the bottom: the few main keys, as many as there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import Resize
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

if TYPE_CHECKING:
    from dlkit.tui.area import Area

ALWAYS = ("quit", "help")
"""Actions whose keys are named in every width: how to get out, and where the rest is explained."""


class MainKeys(Footer):
    """Names what can be done now (``Area.applies``); in a narrow terminal the last ones give way, help and the way
    out never do. All keys work whether they are named or not."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)

    def compose(self) -> ComposeResult:
        if self._bindings_ready:
            for binding, tooltip in self._fitting():
                shown = self.app.get_key_display(binding)
                key = FooterKey(binding.key, shown, binding.description, binding.action, tooltip=tooltip)
                yield key.data_bind(compact=Footer.compact)

    def _fitting(self) -> list[tuple[Binding, str]]:
        area = cast("Area", self.screen)
        found: dict[str, tuple[Binding, str]] = {}
        for _, binding, enabled, tooltip in area.active_bindings.values():
            if binding.show and enabled and area.applies(binding.action):
                found.setdefault(binding.action, (binding, tooltip))
        room = self.app.size.width - sum(self._width(key) for key, _ in found.values() if key.action in ALWAYS)
        named = []
        for binding, tooltip in found.values():
            if binding.action not in ALWAYS:
                room -= self._width(binding)
            if binding.action in ALWAYS or room >= 0:
                named.append((binding, tooltip))
        return named

    def _width(self, binding: Binding) -> int:
        """A blank on either side of the key, one after what it does."""
        return len(self.app.get_key_display(binding)) + len(binding.description) + 3

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.recompose)
