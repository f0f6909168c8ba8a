"""Samples that are drawn: curves and scatters."""

from __future__ import annotations

from rich.text import Text
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

from dlkit.present import plot
from dlkit.present.text import clean
from dlkit.samples import Curve, Scatter

LEAST, MOST = 6, 60
"""Lines of a plot."""
_AROUND = 4
"""Lines for legend, axis and numbers."""


def curve(sample: Curve, room: Size, colour: bool) -> list[Widget]:
    """Lines over a common x."""
    lines = {clean(name): values for name, values in sample.lines.items()}
    labels = clean(sample.x_label), clean(sample.y_label)
    drawn = plot.curve(sample.x, lines, labels, colour=colour, width=room.width, height=_height(room), marked=True)
    return [_drawing(drawn)]


def scatter(sample: Scatter, room: Size, colour: bool) -> list[Widget]:
    """Points in the plane."""
    labels, names = (clean(sample.x_label), clean(sample.y_label)), [clean(name) for name in sample.labels]
    drawn = plot.scatter(
        sample.x, sample.y, names, labels, colour=colour, width=room.width, height=_height(room), marked=True
    )
    return [_drawing(drawn)]


def _height(room: Size) -> int:
    return max(LEAST, min(MOST, room.height - _AROUND))


def _drawing(drawn: str) -> Static:
    text = Text.from_ansi(drawn)
    text.no_wrap = True
    return Static(text)
