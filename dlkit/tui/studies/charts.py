"""A study's pictures, one below the other, as wide as the window: what ``dlkit study show --charts`` draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from dlkit.errors import DAMAGE, in_words
from dlkit.studies.folder import StudyFolder
from dlkit.studies.results import Results
from dlkit.studies.wording import label
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.studies.asked import OfOneStudy

_BESIDE = 6
"""Columns that are not the pictures': blanks and the bar beside them."""


class StudyCharts(OfOneStudy):
    """Drawn again when a trial has ended, in a thread: what they take is read from the runs' logs."""

    area = "studies"
    DEFAULT_CSS = """
    StudyCharts #pictures { height: 1fr; padding: 0 2; }
    StudyCharts #pictures Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "group", "Group curves", id="study.group", tooltip="A curve a setting, or a value of one option"),
    ]

    class Drawn(Message):
        """The pictures, or why there are none."""

        def __init__(self, blocks: Sequence[str]) -> None:
            self.blocks = blocks
            super().__init__()

    def __init__(self, study: StudyFolder) -> None:
        super().__init__(study)
        self._by = ""
        self._drawn: tuple[object, ...] = ()

    def body(self) -> ComposeResult:
        with VerticalScroll(id="pictures"):
            yield Static("drawing …", markup=False)

    def on_mount(self) -> None:
        self.query_one("#pictures").focus()

    def on_resize(self) -> None:
        self._draw_if_new()

    def show_found(self, found: Results) -> None:
        self._draw_if_new()

    def _draw_if_new(self) -> None:
        found = self._results
        if found is None:
            return
        width = max(20, self.size.width - _BESIDE)
        known = (found.ended, len(found.rows), self._by, width)
        if known != self._drawn:
            self._drawn = known
            self._draw(found, self._by, width)

    @work(thread=True, exclusive=True, group="study-charts", exit_on_error=False)
    def _draw(self, found: Results, by: str, width: int) -> None:
        from dlkit.studies.reading import told

        try:
            blocks = told(found, by, colour=True, width=width)
        except DAMAGE as error:  # a folder that is taken away meanwhile
            blocks = [in_words(error)]
        self.post_message(self.Drawn(blocks))

    def on_study_charts_drawn(self, message: Drawn) -> None:
        text = Text("\n\n").join(Text.from_ansi(block) for block in message.blocks)
        self.query_one("#pictures Static", Static).update(text or Text("nothing has ended yet that could be drawn"))

    def applies(self, action: str) -> bool:
        return bool(self._results and self._results.keys) if action == "group" else super().applies(action)

    def action_group(self) -> None:
        keys = self._results.keys if self._results is not None else ()
        choices = [("", "each setting  the best ones"), *((key, f"{label(key)}  a curve a value") for key in keys)]

        def take(by: str | None) -> None:
            if by is not None:
                self._by = by
                self._draw_if_new()

        self.app.push_screen(ChooseDialog("Group the curves by", tuple(choices), self._by), take)
