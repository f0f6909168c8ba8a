"""Text in pieces, coloured by a number each, as a picture; and pictures below one another, each with its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from dlkit.present.shades import BLACK, PAPER, Colour, Shade, shades

SIZE, MARGIN, WIDTH = 16, 10, 900
"""Pixels: a letter's height, the margin, the picture's width."""
_LINE, _END = 22, 8
_NAME, _STRIP = 13, 20

Placed = tuple[float, int, float, str, Colour | None]
"""Left edge, line, width, text and background."""


def coloured_text(pieces: Sequence[str], values: Sequence[float], limits: tuple[float, float]) -> Image.Image:
    """Lines are broken at blanks, and where a piece has a line end."""
    font = ImageFont.load_default(SIZE)
    placed = list(_placed(list(shades(pieces, values, limits)), font))
    lines = 1 + max((line for _, line, *_ in placed), default=0)
    picture = Image.new("RGB", (WIDTH, 2 * MARGIN + lines * _LINE), PAPER)
    draw = ImageDraw.Draw(picture)
    for x, line, width, part, background in placed:
        top = MARGIN + line * _LINE
        if background is not None:
            draw.rectangle((x, top, x + width, top + _LINE - 2), background)
        draw.text((x, top + 1), part, BLACK, font)
    return picture


def _placed(found: Sequence[Shade], font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Iterator[Placed]:
    x, line = float(MARGIN), 0
    for number, shade in enumerate(found):
        word = shade.text + "".join(_rest(found[number + 1 :], shade.text))
        if x > MARGIN and x + font.getlength(word.split("\n")[0].rstrip()) > WIDTH - MARGIN:
            x, line = float(MARGIN), line + 1
        for place, part in enumerate(shade.text.split("\n")):
            if place:  # the line end's own colour
                yield x, line, _END, "", shade.background
                x, line = float(MARGIN), line + 1
            if part:
                width = font.getlength(part)
                yield x, line, width, part, shade.background
                x += width


def _rest(following: Sequence[Shade], text: str) -> Iterator[str]:
    """What belongs to the word that a piece begins or goes on with; a piece within a word breaks no line."""
    if not text or text[-1].isspace():
        return
    for shade in following[:40]:
        if not shade.text or shade.text[0].isspace():
            return
        yield shade.text
        if shade.text[-1].isspace():
            return


def stacked(pictures: Mapping[str, npt.NDArray[np.uint8]]) -> Image.Image:
    """Pictures, grey [H,W] or RGB [H,W,3], below one another, each below its name."""
    font = ImageFont.load_default(_NAME)
    made = {name: Image.fromarray(picture).convert("RGB") for name, picture in pictures.items()}
    widths = [picture.width for picture in made.values()] + [round(font.getlength(name)) + 8 for name in made]
    whole = Image.new("RGB", (max(widths, default=1), sum(p.height + _STRIP for p in made.values()) or 1), PAPER)
    top, draw = 0, ImageDraw.Draw(whole)
    for name, picture in made.items():
        draw.text((4, top + 3), name, BLACK, font)
        whole.paste(picture, (0, top + _STRIP))
        top += _STRIP + picture.height
    return whole
