"""Text in pieces, coloured by a number each, as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from dlkit.present.shades import BLACK, PAPER, shades

SIZE, MARGIN, WIDTH = 16, 10, 900
"""Pixels: a letter's height, the margin, the picture's width."""
_LINE = 22


def coloured_text(pieces: Sequence[str], values: Sequence[float], limits: tuple[float, float]) -> Image.Image:
    """Lines are broken between pieces, and where a piece has a line end."""
    font = ImageFont.load_default(SIZE)
    placed: list[tuple[float, int, float, str, tuple[int, int, int] | None]] = []
    x, line = float(MARGIN), 0
    for shade in shades(pieces, values, limits):
        for number, part in enumerate(shade.text.split("\n")):
            if number:
                placed.append((x, line, 8.0, "", shade.background))  # the line end's own colour
                x, line = float(MARGIN), line + 1
            width = font.getlength(part)
            if x + width > WIDTH - MARGIN and x > MARGIN:
                x, line = float(MARGIN), line + 1
            if part:
                placed.append((x, line, width, part, shade.background))
                x += width
    picture = Image.new("RGB", (WIDTH, 2 * MARGIN + (line + 1) * _LINE), PAPER)
    draw = ImageDraw.Draw(picture)
    for x, line, width, part, background in placed:
        top = MARGIN + line * _LINE
        if background is not None:
            draw.rectangle((x, top, x + width, top + _LINE - 2), background)
        draw.text((x, top + 1), part, BLACK, font)
    return picture
