"""Pictures: arrays of pixels as widgets of whole cells, scaled without distortion."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from dlkit.tui.sample.browser_picture import BrowserPicture
from dlkit.tui.shared.terminal import BROWSER, HALF_CELLS, KITTY, Pictures

Pixels = npt.NDArray[np.uint8]
"""RGBA [H,W,4]; alpha 0 is the screen's background."""
Maker: TypeAlias = Callable[[Image.Image], Widget]


def rgba(image: npt.NDArray[np.uint8]) -> Pixels:
    """uint8 [H,W], [H,W,1] or [H,W,3] → [H,W,4]."""
    grey = image[:, :, None] if image.ndim == 2 else image
    colour = np.repeat(grey, 3, axis=2) if grey.shape[2] == 1 else grey
    return np.concatenate([colour, np.full((*colour.shape[:2], 1), 255, np.uint8)], axis=2)


def scale_to(height: int, width: int, room: tuple[int, int]) -> float:
    """The largest factor at which a picture fits into ``room`` (width, height, in pixels): whole where it enlarges."""
    factor = min(room[0] / max(1, width), room[1] / max(1, height))
    return float(int(factor)) if factor >= 1 else max(factor, 1e-3)


def scaled(image: Pixels, factor: float) -> Pixels:
    """Enlarged by repeating pixels, made smaller by averaging them."""
    if factor >= 1:
        times = int(factor)
        return image.repeat(times, axis=0).repeat(times, axis=1)
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX), np.uint8)


def filled(image: Pixels, room: tuple[int, int]) -> Pixels:
    """As large as fits into ``room`` (width, height, in pixels), its sides in proportion: for one picture alone, of
    which whole multiples may fill half of the room. Pixels stay squares with sharp edges."""
    height, width = image.shape[:2]
    factor = min(room[0] / max(1, width), room[1] / max(1, height))
    return scaled(scaled(image, max(1, -(-factor // 1))), factor / max(1, -(-factor // 1)))


def in_cells(image: Pixels, grain: tuple[int, int]) -> Size:
    """The cells that a picture covers."""
    return Size(-(-image.shape[1] // grain[0]), -(-image.shape[0] // grain[1]))


def padded(image: Pixels, cells: Size, grain: tuple[int, int]) -> Pixels:
    """Background to the right and below, up to whole cells."""
    full = np.zeros((cells.height * grain[1], cells.width * grain[0], 4), np.uint8)
    full[: image.shape[0], : image.shape[1]] = image
    return full


def picture(image: Pixels, pictures: Pictures, letters: Mapping[tuple[int, int], str] | None = None) -> Widget:
    """A widget of exactly the cells that the picture covers; ``letters`` stand over half-cells, by column and row."""
    cells = in_cells(image, pictures.grain)
    full = padded(image, cells, pictures.grain)
    widget = _widget(full, cells, pictures, letters or {})
    widget.styles.width, widget.styles.height = cells.width, cells.height
    return widget


def _widget(image: Pixels, cells: Size, pictures: Pictures, letters: Mapping[tuple[int, int], str]) -> Widget:
    if pictures.way == HALF_CELLS:
        return HalfCells(image, letters)
    if pictures.way == BROWSER:
        return BrowserPicture(Image.fromarray(image), cells.width, cells.height)
    if pictures.way == KITTY:
        return _kitty(image, pictures)
    from dlkit.tui.sample.sixel import SixelPicture

    return SixelPicture(Image.fromarray(image), pictures.cell)


class HalfCells(Widget):
    """Two rows of pixels a line."""

    def __init__(self, image: Pixels, letters: Mapping[tuple[int, int], str]) -> None:
        super().__init__()
        self.image, self.letters = image, letters

    def render_line(self, y: int) -> Strip:
        if 2 * y + 1 >= len(self.image):
            return Strip.blank(self.size.width, self.rich_style)
        upper, lower = self.image[2 * y].tolist(), self.image[2 * y + 1].tolist()
        base = self.rich_style
        cells = [_cell(*pair, base) for pair in zip(upper, lower, strict=True)]
        for x in range(len(cells)) if self.letters else ():
            if (x, y) in self.letters:
                cells[x] = Segment(self.letters[x, y], _LETTER)
        return Strip(cells).simplify()


_LETTER = Style(color="#ffffff", bgcolor="#000000", bold=True)


def _cell(upper: list[int], lower: list[int], base: Style) -> Segment:
    if not upper[3] and not lower[3]:
        return Segment(" ", base)
    if not lower[3]:
        return Segment("▀", base + Style(color=_colour(upper)))
    if not upper[3]:
        return Segment("▄", base + Style(color=_colour(lower)))
    return Segment("▀", Style(color=_colour(upper), bgcolor=_colour(lower)))


def _colour(pixel: list[int]) -> Color:
    return Color.from_rgb(*pixel[:3])


def _kitty(image: Pixels, pictures: Pictures) -> Widget:
    """textual-image's widget, given as many pixels as the cells have: it then leaves them as they are."""
    return _library(pictures.cell)(Image.fromarray(image))


def _library(cell: tuple[int, int]) -> Maker:
    """Kitty's widget. Importing it would have the terminal asked, whose input is the interface's now."""
    before = sys.__stdout__
    sys.__stdout__ = io.StringIO()  # type: ignore[misc,assignment]
    try:
        from textual_image._terminal import CellSize, get_cell_size
        from textual_image.widget import TGPImage
    finally:
        sys.__stdout__ = before  # type: ignore[misc]
    get_cell_size._result = CellSize(*cell)  # type: ignore[attr-defined]
    return TGPImage
