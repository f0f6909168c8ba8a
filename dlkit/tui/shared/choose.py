"""A list to choose from, in a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from dlkit.monitor.choices import Choices


def label_of(label: str) -> tuple[str, str]:
    """A choice's name, and what it is."""
    name, _, what = label.partition("  ")
    return name, what


class ChooseDialog(ModalScreen[str | None]):
    """A list to choose from; dismissed with the text of a choice, or None."""

    DEFAULT_CSS = """
    ChooseDialog { align: center middle; }
    ChooseDialog > Vertical { width: 90%; max-width: 100; height: auto; max-height: 80%; border: round $primary;
                              padding: 0 1; background: $surface; }
    ChooseDialog OptionList { height: auto; max-height: 24; border: none; padding: 0; background: $surface; }
    ChooseDialog OptionList:focus { border: none; }
    ChooseDialog Label { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="choose.cancel"),
        Binding("j", "move('down')", "Down", show=False, id="choose.down"),
        Binding("k", "move('up')", "Up", show=False, id="choose.up"),
    ]

    def __init__(self, title: str, choices: Choices, text: str) -> None:
        super().__init__()
        self._title, self._choices, self._text = title, choices, text

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Text(self._title).markup
            yield OptionList(*map(Option, _lines([label for _, label in self._choices])))
            yield Label("enter: choose   escape: cancel")

    def on_mount(self) -> None:
        texts = [text for text, _ in self._choices]
        self.query_one(OptionList).highlighted = texts.index(self._text) if self._text in texts else 0
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][0])

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_move(self, where: str) -> None:
        getattr(self.query_one(OptionList), f"action_cursor_{where}")()


def _lines(labels: Sequence[str]) -> list[RenderableType]:
    """Names in a column, what they are beside it, on as many lines as that needs."""
    pairs = [label_of(label) for label in labels]
    width = max((cell_len(name) for name, what in pairs if what), default=0)
    lines: list[RenderableType] = []
    for name, what in pairs:
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_column(width=width or None, no_wrap=True)
        line.add_column()
        line.add_row(Text(name, "bold"), Text(what, "dim"))
        lines.append(line if what else Text(name))
    return lines
