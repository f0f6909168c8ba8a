"""Changing an option of a running job: which may be changed, what they are now, what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from dlkit.catalog import Catalog
from dlkit.config import FieldInfo
from dlkit.errors import DlkitError
from dlkit.jobs.changeable import changeable, parse_change
from dlkit.json_types import Settings
from dlkit.monitor.view import RunView
from dlkit.runs.contents import stored_sections
from dlkit.tui.run.head import part
from dlkit.tui.run.orders import changes
from dlkit.tui.shared.table import Column, Row, Table

_COLUMNS = (Column("key", "setting", 24), Column("now", "now", 14), Column("allowed", "allowed", 0))


class SetDialog(ModalScreen[tuple[str, object] | None]):
    """Dismissed with the full key and the value, which are valid, or with None.

    Options are a plugin's code: they are asked for, and a value is judged, in a thread.
    """

    DEFAULT_CSS = """
    SetDialog { align: center middle; }
    SetDialog > Vertical { width: 90%; max-width: 100; height: auto; max-height: 95%; border: round $primary;
                           padding: 0 1; background: $surface; }
    SetDialog Table { height: 9; }
    SetDialog #description { height: auto; min-height: 1; color: $text-muted; }
    SetDialog #problem { height: auto; color: $text-error; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="set.cancel")]

    class Listed(Message):
        def __init__(self, fields: dict[str, FieldInfo], stored: Mapping[str, Settings]) -> None:
            self.fields, self.stored = fields, stored
            super().__init__()

    class Judged(Message):
        """A key and a value that may be sent, or why not."""

        def __init__(self, key: str, value: object, problem: str = "") -> None:
            self.key, self.value, self.problem = key, value, problem
            super().__init__()

    def __init__(self, catalog: Catalog, view: RunView) -> None:
        super().__init__()
        self._catalog, self._view = catalog, view
        self._names = {"trainer": part(view.record, "trainer")}
        self._task_name = str(view.record.get("task", ""))
        self._fields: dict[str, FieldInfo] = {}
        self._stored: Mapping[str, Settings] = {}

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Change while it runs"
            yield Table(_COLUMNS, empty="asking the plugins …")
            yield Static(id="description", markup=False)
            yield Input(placeholder="the new value", compact=True, disabled=True)
            yield Static(id="problem", markup=False)
            yield Label("enter: type a value, enter again: change it   escape: leave")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        self._list()

    @work(thread=True, group="set", exclusive=True, exit_on_error=False)
    def _list(self) -> None:
        try:
            fields = changeable(self._catalog, self._task_name, self._names)
        except DlkitError as error:
            self.post_message(self.Judged("", None, str(error)))
            return
        self.post_message(self.Listed(fields, stored_sections(self._view.run)))

    def on_set_dialog_listed(self, message: Listed) -> None:
        first = sorted(message.fields, key=lambda key: not key.startswith("trainer."))  # what is wanted most
        self._fields, self._stored = {key: message.fields[key] for key in first}, message.stored
        self.query_one(Table).empty = "this run has no setting that may be changed while it goes"
        rows = [
            Row(key, {"key": key, "now": self._now(key), "allowed": field.allowed or field.type})
            for key, field in self._fields.items()
        ]
        self.query_one(Table).show(rows)
        self.query_one(Input).disabled = not rows
        self._describe()

    def _now(self, key: str) -> str:
        """The present value: the last that was set, else the configuration's."""
        changed = changes(self._view.events)
        section, _, name = key.partition(".")
        stored = self._stored.get(section)
        value = changed[key].value if key in changed else stored.get(name) if isinstance(stored, Mapping) else None
        return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    def _describe(self) -> None:
        field = self._fields.get(self.query_one(Table).key)
        self.query_one("#description", Static).update(field.description if field else "")
        self.query_one("#problem", Static).update("")

    def on_table_moved(self, message: Table.Moved) -> None:
        message.stop()
        self._describe()

    def on_table_chosen(self, message: Table.Chosen) -> None:
        message.stop()
        field = self.query_one(Input)
        field.value = self._now(message.key)
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        key = self.query_one(Table).key
        if key:
            self._judge(key, event.value.strip())

    @work(thread=True, group="set", exclusive=True, exit_on_error=False)
    def _judge(self, key: str, text: str) -> None:
        try:
            full, value = parse_change(self._catalog, self._task_name, self._names, self._stored, key, text)
        except DlkitError as error:
            self.post_message(self.Judged(key, None, str(error)))
            return
        self.post_message(self.Judged(full, value))

    def on_set_dialog_judged(self, message: Judged) -> None:
        if message.problem:
            self.query_one("#problem", Static).update(message.problem)
        elif self.is_current:
            self.dismiss((message.key, message.value))

    def action_cancel(self) -> None:
        self.dismiss(None)
