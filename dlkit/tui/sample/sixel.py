"""Pictures by Sixel, each of whose lines of cells is a picture by itself.

What a terminal draws over cells stays there until they are written again. The widget of textual-image sends a picture
whole with its last line, and nothing with the others: what stood beside it stayed, and a notice that went left a hole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from PIL import Image
from rich.segment import ControlType, Segment
from textual.dom import NoScreen
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual_image._sixel import image_to_sixels

_DEFINED = re.compile(r"(#\d+);2;\d+;\d+;\d+")
_SAVE, _RESTORE, _FORWARD = "\x1b7", "\x1b8", "\x1b[{}C"
_NO_CELLS = ((ControlType.CURSOR_FORWARD, 0),)
"""Marks a segment as one that takes no cells."""
_KEPT = 400
"""Parts of a picture that stay encoded."""
Span = tuple[int, int, int]
"""A line of cells, its first column, and the one after its last."""


class SixelPicture(Widget):
    """An RGBA picture of as many pixels as its cells have; ``cell`` is the size of one (width, height)."""

    def __init__(self, image: Image.Image, cell: tuple[int, int]) -> None:
        super().__init__()
        self.image, self.cell = image, cell
        self._ground: tuple[int, int, int] | None = None
        self._inked = image
        """The picture on that ground, its colours those of one palette: in parts they are the same."""
        self._encoded: dict[Span, str] = {}

    def render_lines(self, crop: Region) -> list[Strip]:
        if not self._seen():
            return [Strip.blank(crop.width, self.rich_style)] * crop.height
        self._ink()
        rows = self.image.height // self.cell[1]
        return [
            PictureLine(self, (y, crop.x, crop.right)) if y < rows else Strip.blank(crop.width, self.rich_style)
            for y in crop.line_range
        ]

    def _seen(self) -> bool:
        """Below a window, Textual shades what there is, which no picture is."""
        try:
            return self.screen.is_active
        except NoScreen:
            return False

    def _ink(self) -> None:
        ground = self.background_colors[1].rgb
        if ground != self._ground:
            whole = Image.new("RGB", self.image.size, ground)
            whole.paste(self.image, mask=self.image.getchannel("A"))
            self._inked = whole.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
            self._ground, self._encoded = ground, {}

    def segments(self, span: Span) -> Iterable[Segment]:
        """Blanks, which take away whatever was there, and the picture over them."""
        width = span[2] - span[1]
        yield Segment(_SAVE, None, _NO_CELLS)
        yield Segment(" " * width, self.rich_style)
        yield Segment(_RESTORE + self._part(span) + _RESTORE + _FORWARD.format(width), None, _NO_CELLS)

    def _part(self, span: Span) -> str:
        if span not in self._encoded:
            if len(self._encoded) >= _KEPT:
                self._encoded.clear()
            (y, left, right), (wide, high) = span, self.cell
            part = self._inked.crop((left * wide, y * high, right * wide, (y + 1) * high))
            self._encoded[span] = selecting(image_to_sixels(part))
        return self._encoded[span]


class PictureLine(Strip):
    """A line of a picture, or part of it where something covers the rest."""

    def __init__(self, picture: SixelPicture, span: Span) -> None:
        super().__init__(picture.segments(span), span[2] - span[1])
        self._picture, self._span = picture, span

    def crop(self, start: int, end: int | None = None) -> Strip:
        y, left, right = self._span
        first, last = left + max(0, start), right if end is None else min(right, left + end)
        if (first, last) == (left, right):
            return self
        return PictureLine(self._picture, (y, first, last)) if first < last else Strip([], 0)

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        return [self.crop(start, end) for start, end in pairwise([0, *cuts]) if end <= self.cell_length]


def selecting(sixels: str) -> str:
    """Every colour chosen once it is defined: some terminals go on with one that was defined just now, others (xterm)
    with the one before, so that they would draw a colour's first line in another."""
    return _DEFINED.sub(r"\g<0>\1", sixels)
