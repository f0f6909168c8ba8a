"""All studies of the workspace, newest first: how far each is, and what it says so far."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from dlkit.monitor import studies
from dlkit.monitor.studies import Entry, Studies
from dlkit.present.numbers import ago, counted, duration
from dlkit.steering import one_line
from dlkit.studies.folder import StudyFolder
from dlkit.studies.results import Results
from dlkit.studies.telling import answer, mean_text, named
from dlkit.tui.shared.dialogs import Confirm
from dlkit.tui.shared.table import Column, Row, Table
from dlkit.tui.shared.words import state_cell
from dlkit.tui.studies.asked import AskedStudies

COLUMNS = (
    Column("state", "state", 11),
    Column("study", "study", 18, most=34),
    Column("trials", "trials", 9, right=True, rank=1),
    Column("best", "best", 16, right=True, rank=2),
    Column("of", "of", 0, rank=3),
    Column("time", "time", 8, right=True, rank=5),
    Column("since", "started", 10, right=True, rank=4),
)
_EMPTY = "no studies yet: dlkit study TASK --vary KEY=A,B --seeds 3 compares settings, and says what is more than luck"


class StudiesScreen(AskedStudies):
    """The list, and below it what the study under the cursor says."""

    area = "studies"
    DEFAULT_CSS = """
    StudiesScreen #detail { height: 4; padding: 0 2; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "remove", "Remove", show=False, id="studies.remove", tooltip="The study; its runs stay"),
    ]

    class Looked(Message):
        """What there is now."""

        def __init__(self, entries: Sequence[Entry]) -> None:
            self.entries = entries
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, StudiesScreen.Looked)

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, Entry] = {}

    def body(self) -> ComposeResult:
        yield Table(COLUMNS, empty="looking …", enter="Open", id="studies")
        yield Static("", id="detail", markup=False)

    def on_mount(self) -> None:
        self._table.focus()

    def on_screen_resume(self) -> None:
        self.keep_looking(Studies(self.workspace).poll, self.Looked)

    @property
    def _table(self) -> Table:
        return self.query_one(Table)

    def on_studies_screen_looked(self, message: Looked) -> None:
        self._entries = {entry.study.id: entry for entry in message.entries}
        self._table.empty = _EMPTY
        self._table.show([_row(entry) for entry in message.entries])
        going = sum(entry.results is not None and entry.results.state == "running" for entry in message.entries)
        self.say_where(counted(len(self._entries), "study", "studies") + (f", {going} going on" if going else ""))
        self.refresh_bindings()
        self._tell()

    def on_table_moved(self) -> None:
        self.refresh_bindings()
        self._tell()

    def _tell(self) -> None:
        entry = self._entries.get(self._table.key)
        text = Text()
        if entry is not None and entry.results is None:
            text = Text(one_line(entry.problem))
        elif entry is not None and entry.results is not None:
            text = Text.assemble((one_line(entry.study.id), "bold"), f"\n{one_line(answer(entry.results))}")
        self.query_one("#detail", Static).update(text, layout=False)

    @property
    def chosen(self) -> StudyFolder | None:
        entry = self._entries.get(self._table.key)
        return entry.study if entry is not None else None

    @property
    def found(self) -> Results | None:
        entry = self._entries.get(self._table.key)
        return entry.results if entry is not None else None

    def applies(self, action: str) -> bool:
        return self.chosen is not None if action == "remove" else super().applies(action)

    def on_table_chosen(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        from dlkit.tui.studies.study import StudyScreen

        if self.chosen is not None and self.found is not None:
            self.app.push_screen(StudyScreen(self.chosen))

    def action_remove(self) -> None:
        study = self.chosen
        if study is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.do(partial(studies.remove, study))

        self.app.push_screen(Confirm(f"Remove {study.id}?", "The runs that it made stay.", yes="Remove"), answered)


def _row(entry: Entry) -> Row:
    found = entry.results
    if found is None:
        return Row(entry.study.id, {"state": state_cell("damaged"), "study": entry.study.id, "of": entry.problem})
    leader, name = found.leader, found.question.name
    cells = {
        "state": state_cell(found.state),
        "study": name or f"{found.question.task} {found.study.short}",
        "trials": f"{found.ended}/{found.trials}",
        "best": mean_text(leader) if leader is not None else "",
        "of": named(found, leader) if leader is not None else counted(found.trials, "trial"),
        "time": duration(found.seconds),
        "since": ago(found.question.created),
    }
    return Row(entry.study.id, cells)  # type: ignore[arg-type]
