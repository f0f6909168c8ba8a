"""Which columns the list of runs has, and in which order, in a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from dlkit.tui.runs.rows import ABOUT, DEFAULT, title_of
from dlkit.tui.shared.table import Column, Row, Table

_COLUMNS = (Column("title", "column", 20, most=34), Column("about", "what it is", 0))


class ColumnsDialog(ModalScreen[tuple[str, ...] | None]):
    """Dismissed with the keys of the columns that are marked, in their order; None: as they were."""

    DEFAULT_CSS = """
    ColumnsDialog { align: center middle; }
    ColumnsDialog > Vertical { width: 90%; max-width: 90; height: 80%; border: round $primary; padding: 0 1;
                               background: $surface; }
    ColumnsDialog Table { background: $surface; }
    ColumnsDialog Label { color: $text-muted; width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="columns.cancel"),
        Binding("space", "turn", "Show or hide", id="columns.turn"),
        Binding("shift+up,K", "move(-1)", "Further left", id="columns.left"),
        Binding("shift+down,J", "move(1)", "Further right", id="columns.right"),
        Binding("r", "reset", "As at first", id="columns.reset"),
    ]

    def __init__(self, chosen: Sequence[str], others: Sequence[str]) -> None:
        """``others``: keys of what else may be a column."""
        super().__init__()
        self._order = list(dict.fromkeys([*chosen, *others]))
        self._chosen = set(chosen)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Columns"
            yield Table(_COLUMNS, enter="Done")
            yield Label("space: show or hide   shift+↑ ↓ or K J: order   r: as at first   enter: done   escape: cancel")

    def on_mount(self) -> None:
        self._show()
        self.query_one(Table).focus()

    def _show(self) -> None:
        table = self.query_one(Table)
        table.show([Row(key, {"title": title_of(key), "about": ABOUT.get(key, _kind(key))}) for key in self._order])
        table.marked = {key for key in self._order if key in self._chosen}
        table.refresh()

    def action_turn(self) -> None:
        table = self.query_one(Table)
        self._chosen ^= {table.key}
        self._show()
        table.action_move(1)

    def action_move(self, by: int) -> None:
        """A column that is moved is meant to be shown."""
        key = self.query_one(Table).key
        place = self._order.index(key)
        self._chosen.add(key)
        self._order.remove(key)
        self._order.insert(max(0, min(len(self._order), place + by)), key)
        self._show()

    def action_reset(self) -> None:
        rest = [key for key in self._order if key not in DEFAULT]
        self._order, self._chosen = [*DEFAULT, *rest], set(DEFAULT)
        self._show()

    def on_table_chosen(self, event: Table.Chosen) -> None:
        event.stop()
        if self._chosen:
            self.dismiss(tuple(key for key in self._order if key in self._chosen))
        else:
            self.notify("a list needs a column: mark one with space", severity="warning")

    def action_cancel(self) -> None:
        self.dismiss(None)


def _kind(key: str) -> str:
    return "a metric, at its best evaluation" if "/" in key else f"the option {key}"
