"""Real pixels in a browser: the page is sent the picture, and draws it where it sees its cells.

As Kitty's placeholders: a cell is a blank sign whose colour is the picture's number, and whose ground says which of its
cells it is. So whatever scrolls, cuts or covers cells does the same to the picture.
"""

from __future__ import annotations

import base64
import io
from itertools import count
from typing import Protocol, runtime_checkable

from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

BLANK = "\u2800"
MOST = 4095
"""Columns and rows of a picture that a ground can tell."""
_numbers = count(1)


@runtime_checkable
class Page(Protocol):
    """A driver whose terminal is a page of ``dlkit web``."""

    def send_picture(self, number: int, columns: int, rows: int, png: str) -> None:
        """A picture that covers so many cells; ``png`` is base64."""


class BrowserPicture(Widget):
    """An RGBA picture with a number of its own, from 1 on; its pixels are sent once."""

    def __init__(self, image: Image.Image, columns: int, rows: int) -> None:
        super().__init__()
        self.image, self.columns, self.rows = image, min(columns, MOST), min(rows, MOST)
        self.number = next(_numbers) & 0xFFFFFF

    def on_mount(self) -> None:
        driver = self.app._driver
        if isinstance(driver, Page):
            file = io.BytesIO()
            # The ground of its cells is a code: what is transparent has the screen's own.
            ground = Image.new("RGB", self.image.size, self.background_colors[1].rgb)
            ground.paste(self.image, mask=self.image.getchannel("A"))
            ground.save(file, "PNG", compress_level=1)
            driver.send_picture(self.number, self.columns, self.rows, base64.b64encode(file.getvalue()).decode())

    def render_line(self, y: int) -> Strip:
        if y >= self.rows:
            return Strip.blank(self.size.width, self.rich_style)
        ink = _colour(self.number)
        cells = [Segment(BLANK, Style(color=ink, bgcolor=_colour(y << 12 | x))) for x in range(self.columns)]
        return Strip(cells, self.columns)


def _colour(number: int) -> Color:
    return Color.from_rgb(number >> 16, number >> 8 & 255, number & 255)
