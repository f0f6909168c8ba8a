"""Confusion matrices: a click on a cell opens its images."""

from __future__ import annotations

from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from dlkit.present.confusion import cell_at, lines, opened
from dlkit.samples import ConfusionMatrix
from dlkit.tui.sample.planes import Runs


class Matrix(Runs):
    """Shares of the row as colours; wider than the room it is scrolled sideways."""

    class Opened(Message):
        """The images of a cell are wanted: which of ``confusion.opened``."""

        def __init__(self, place: int) -> None:
            self.place = place
            super().__init__()

    def __init__(self, sample: ConfusionMatrix, *, colour: bool) -> None:
        super().__init__(lines(sample, colour=colour))
        self._sample = sample

    def on_click(self, event: Click) -> None:
        cell = cell_at(self._sample, event.x, event.y)
        there = opened(self._sample)
        if cell in there:
            event.stop()
            self.post_message(self.Opened(there.index(cell)))


def confusion(sample: ConfusionMatrix, room: Size, colour: bool) -> list[Widget]:
    """The matrix, and what opens its cells."""
    told = "rows true, columns predicted"
    if opened(sample):
        told += " · enter: the images of the commonest mistake; or click a cell"
    return [Matrix(sample, colour=colour), Static(told, classes="head", markup=False)]
