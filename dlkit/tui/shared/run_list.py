"""What the screens that list runs have in common: a table, a filter line over it, looking again when runs change."""

from __future__ import annotations

from dlkit.runs.folder import RunFolder, folder_of
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.filter_line import FilterLine
from dlkit.tui.shared.table import Table


class RunList(Area):
    """``body()`` has a ``Table`` and a ``FilterLine``; ``show()`` fills the table with the runs that match ``filter``,
    as ``monitor.run_query`` understands it; ``runs_changed()`` is told of new ones."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = ""

    @property
    def table(self) -> Table:
        return self.query_one(Table)

    def folder(self, identity: str) -> RunFolder:
        """Of the run with this id."""
        return folder_of(self.workspace, identity)

    def show(self) -> None:
        raise NotImplementedError

    def runs_changed(self) -> None:
        raise NotImplementedError

    def on_mount(self) -> None:
        self.table.focus()
        self.runs_changed()

    def on_screen_resume(self) -> None:
        self.runs_changed()

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self.filter = message.text
        self.show()

    def on_filter_line_left(self) -> None:
        self.table.focus()

    def action_back(self) -> None:
        """All runs again; there is nothing behind this screen."""
        self.query_one(FilterLine).leave()
