"""What a chart is drawn with and into: styles, the plot's place on the sheet, lines cut to its columns."""

from __future__ import annotations

from typing import NamedTuple

from rich.style import Style

from dlkit.tui.chart.line import Line
from dlkit.tui.chart.palette import colour
from dlkit.tui.chart.thin import Spans


class Frame(NamedTuple):
    """Where the plot lies on the sheet, in cells."""

    left: int
    top: int
    columns: int
    rows: int

    def column(self, place: float) -> int:
        """The sheet's column for a place in the window, 0 to 1; what lies outside is at its edge."""
        return self.left + min(self.columns - 1, max(0, int(place * self.columns)))


class Theme(NamedTuple):
    """Styles, whether the terminal has no more than ASCII, whether lines lie on a dark ground and on which (RGB), and
    whether there are colours at all."""

    muted: Style
    broken: Style
    plain: bool = False
    dark: bool = True
    ground: tuple[int, int, int] = (18, 18, 18)
    colour: bool = True

    def of(self, line: Line) -> str:
        """The colour of a line."""
        return colour(line.colour, dark=self.dark)


class Course(NamedTuple):
    """A line and what is drawn of it."""

    line: Line
    spans: Spans
    raw: Spans | None
    """Of the values themselves where ``spans`` are of smoothed ones."""
