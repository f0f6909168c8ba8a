"""Queue."""

from __future__ import annotations

from textual.app import ComposeResult

from dlkit.tui.area import Area
from dlkit.tui.table import Column, Table


class QueueScreen(Area):
    """Queue of the workspace."""

    area = "queue"

    def body(self) -> ComposeResult:
        yield Table([Column("id", "run")], empty="no runs yet")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
