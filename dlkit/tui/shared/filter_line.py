"""The line that is opened with ``/``: what is typed there says what a list, a chart or a form shows."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class FilterLine(Horizontal):
    """Enter keeps what is typed and leaves the line to be seen, unless it is empty; Escape shows everything again.
    Where the focus belongs after either is for whoever hears ``Left`` to know."""

    DEFAULT_CSS = """
    FilterLine { height: 1; padding: 0 1; background: $surface; display: none; }
    FilterLine.open { display: block; }
    FilterLine > Static { width: 2; text-style: bold; }
    FilterLine > Input { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Clear", id="filter.clear")]

    class Changed(Message):
        """``text`` is what is typed, without blanks around it."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Left(Message):
        """By Enter (``kept``) or by Escape."""

        def __init__(self, *, kept: bool) -> None:
            self.kept = kept
            super().__init__()

    class Field(Input):
        """Says in the line of keys what Enter does."""

        BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Done", id="filter.done")]

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        yield Static("/")
        yield self.Field(placeholder=self._placeholder, compact=True, id="filter")

    @property
    def field(self) -> Input:
        return self.query_one(Input)

    @property
    def is_open(self) -> bool:
        return self.has_class("open")

    def open(self) -> None:
        """Show the line and type there."""
        self.add_class("open")
        self.field.focus()

    def leave(self) -> bool:
        """Show everything again; False if the line was not open."""
        was_open = self.is_open
        if was_open:
            self.field.value = ""
            self.remove_class("open")
            self.post_message(self.Left(kept=False))
        return was_open

    def action_leave(self) -> None:
        self.leave()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value.strip()))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.set_class(bool(event.value.strip()), "open")
        self.post_message(self.Left(kept=True))
