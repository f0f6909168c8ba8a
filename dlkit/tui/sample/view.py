"""Some samples below one another, made for the room there is, and made again when it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import ScrollableContainer, Vertical
from textual.events import Click
from textual.geometry import Size
from textual.widgets import Static

from dlkit.tui.sample import PICTURED, Shown, widgets
from dlkit.tui.shared.terminal import PICTURES


class SampleView(ScrollableContainer, inherit_bindings=False):
    """``show`` takes samples, or lines in place of them. Pages up and down; the arrows are its parent's."""

    DEFAULT_CSS = """
    SampleView { height: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
    SampleView Static { width: auto; height: auto; }
    SampleView > Vertical { height: auto; width: auto; min-width: 100%; }
    SampleView Vertical.auto { height: auto; width: auto; }
    SampleView .title { text-style: bold; }
    SampleView .trouble { color: $text-warning; width: 100%; }
    SampleView .head { color: $text-muted; text-style: bold; width: 100%; }
    SampleView .given { border-left: solid $secondary; color: $text-muted; padding-left: 1; width: 100%; }
    SampleView .written { border-left: outer $primary; padding-left: 1; width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page_up", "page up", show=False, id="samples.page-up"),
        Binding("pagedown", "page_down", "page down", show=False, id="samples.page-down"),
        Binding("shift+left", "scroll_left", "left", show=False, id="samples.scroll-left"),
        Binding("shift+right", "scroll_right", "right", show=False, id="samples.scroll-right"),
    ]

    def __init__(self, *, can_focus: bool = True, id: str | None = None) -> None:
        super().__init__(id=id, can_focus=can_focus)
        self.samples: Sequence[Shown] = ()
        self._made: tuple[object, ...] = ()

    def show(self, samples: Sequence[Shown]) -> None:
        """Show these from their beginning."""
        self.samples = samples
        self._make()
        self.scroll_home(animate=False)

    @property
    def pictured(self) -> bool:
        """Whether anything here is a picture."""
        return any(isinstance(sample, PICTURED) for sample in self.samples)

    @property
    def _looks(self) -> tuple[object, ...]:
        """All that widgets depend on besides the samples."""
        return PICTURES.way, PICTURES.cell, self.size, self.app.no_color

    def on_resize(self) -> None:
        self._make_again()

    def on_show(self) -> None:
        """Pictures may be shown another way since somebody chose so elsewhere."""
        self._make_again()

    def _make_again(self) -> None:
        if self._made != self._looks and self.samples:
            self._make()

    def redraw(self) -> None:
        """Pictures are shown another way now."""
        if self.pictured:
            self._make()

    def _make(self) -> None:
        self._made = self._looks
        if not self.size.width:
            return
        pictured = sum(isinstance(sample, PICTURED) for sample in self.samples)
        height = self.size.height if len(self.samples) == 1 else self.size.height * 2 // (3 * max(1, pictured))
        room = Size(self.size.width - 1, height)  # the scrollbar may need a column
        colour = not self.app.no_color
        made = [w for s in self.samples for w in widgets(s, room, PICTURES, colour=colour)]
        with self.app.batch_update():
            self.remove_children()
            self.mount(Vertical(*made))


class PictureLine(Static):
    """Says how pictures are shown; a click goes to the next way."""

    DEFAULT_CSS = "PictureLine { height: 1; color: $text-muted; width: auto; }"

    def __init__(self, view: SampleView, key: str) -> None:
        super().__init__("", markup=False)
        self._view, self._key = view, key

    def tell(self) -> None:
        """Bring the line up to date."""
        self.update(f"pictures: {PICTURES} · {self._key}: another way" if self._view.pictured else "")

    def next_way(self) -> None:
        """Show pictures the next way."""
        PICTURES.next()
        self._view.redraw()
        self.tell()

    def on_click(self, event: Click) -> None:
        event.stop()
        self.next_way()
