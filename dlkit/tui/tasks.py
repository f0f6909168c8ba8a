"""Tasks: what can be trained."""

from __future__ import annotations

from textual.app import ComposeResult

from dlkit.tui.area import Area
from dlkit.tui.table import Column, Row, Table


class TasksScreen(Area):
    """Every plugin's tasks."""

    area = "tasks"

    def body(self) -> ComposeResult:
        yield Table([Column("task", "task", 16), Column("title", "title")], empty="loading plugins …")

    def on_mount(self) -> None:
        self.query_one(Table).focus()

    def plugins_loaded(self) -> None:
        assert self.dlkit.catalog is not None
        self.query_one(Table).show(
            [Row(s.name, {"task": s.name, "title": s.title}) for s in self.dlkit.catalog.specs("task")]
        )

    def on_table_chosen(self, message: Table.Chosen) -> None:
        self.dlkit.open_launch(message.key)
