"""Runs."""

from __future__ import annotations

from textual.app import ComposeResult

from dlkit.tui.area import Area
from dlkit.tui.table import Column, Table


class RunsScreen(Area):
    """Runs of the workspace."""

    area = "runs"

    def body(self) -> ComposeResult:
        yield Table([Column("id", "run")], empty="no runs yet")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
