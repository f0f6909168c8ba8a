"""Samples that are rectangles of the plane: in cells, or as real pixels where the terminal shows them."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from dlkit.present.plane import OWN, Colour, Run, drawn, fitted, in_black_and_white, legend
from dlkit.present.plane_pixels import painted
from dlkit.present.text import clean
from dlkit.samples import Plane
from dlkit.tui.sample.picture import picture, rgba
from dlkit.tui.shared.terminal import HALF_CELLS, Pictures


def plane(sample: Plane, room: Size, pictures: Pictures, colour: bool) -> list[Widget]:
    """The picture as large as there is room, its legend above and its note below."""
    if not colour:
        return [Static(Text(in_black_and_white(sample, room.width, room.height), no_wrap=True))]
    if pictures.way == HALF_CELLS:
        return [Runs(drawn(sample, room.width, room.height))]
    words = Text("   ").join(Text(text, f"#{colour:06x}") for text, colour in legend(sample))
    spare = bool(words) + bool(sample.note)
    columns, lines = fitted(sample, room.width, max(1, room.height - spare))
    height, width = sample.image.shape[:2]
    # In whole pixels of the terminal's cells, which need not be twice as high as wide.
    across = min(columns * pictures.cell[0], round(lines * pictures.cell[1] * width / height))
    shown: list[Widget] = [picture(rgba(painted(sample, max(1, across))), pictures)]
    note = [Static(Text(clean(sample.note)))] if sample.note else []
    return [*([Static(words)] if words else []), *shown, *note]


class Runs(Widget):
    """Lines of characters with the colours of each."""

    def __init__(self, lines: list[list[Run]]) -> None:
        super().__init__()
        self.lines = lines
        self.styles.height = len(lines)
        self.styles.width = max((sum(len(run[0]) for run in line) for line in lines), default=1)

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        if y >= len(self.lines):
            return Strip.blank(self.size.width, base)
        return strip_of(self.lines[y], base).adjust_cell_length(self.size.width, base)


def strip_of(line: list[Run], base: Style) -> Strip:
    """One line as Textual has it."""
    return Strip([Segment(text, _style(base, ink, paper)) for text, ink, paper in line])


@lru_cache(4096)
def _style(base: Style, ink: Colour, paper: Colour) -> Style:
    """Made once for all runs that look alike: a style takes as long as the rest of a run."""
    return base + Style(color=_colour(ink), bgcolor=_colour(paper))


def _colour(packed: Colour) -> Color | None:
    return None if packed == OWN else Color.from_rgb(packed >> 16, packed >> 8 & 255, packed & 255)
