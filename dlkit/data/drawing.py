"""Boxes drawn into a picture of its own size: as thick and as large in writing as the picture bears.

A role shows by colour, and a mistake by dashes too: what is missed is dotted, what is false is dashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from dlkit.samples import Box

ROLES = {
    "true": ((0, 200, 0), (1, 0)),
    "predicted": ((255, 200, 0), (1, 0)),
    "missed": ((80, 140, 255), (1, 1)),
    "false": ((255, 60, 60), (3, 2)),
}
"""Colour, and dashes in multiples of the line's width (on, off; 0: solid), by a box's role."""
_OTHER = ((255, 255, 255), (1, 0))

_SHARE = 1 / 28
"""Height of the writing, as a share of the picture's shorter side."""
_SMALLEST, _LARGEST = 9, 48
"""Writing in pixels: less cannot be read, more hides the picture."""
_WIDEST = 0.4
"""A label that is wider than its box takes at most this share of the picture's width."""
_LIGHT = 330
"""A colour whose parts add up to more is written on in black."""

Place = tuple[float, float, float, float]


def draw_boxes(image: Image.Image, boxes: Sequence[Box]) -> Image.Image:
    """A copy in RGB with every box's outline, label and score. Outlines first: none hides a label.

    Labels stand above their box, below it, or inside where there is room nowhere else, and as far as can be beside
    each other; where they would hide too much of a small picture, the score is left out, then the label.
    """
    picture = image.convert("RGB")
    draw = ImageDraw.Draw(picture)
    size = max(_SMALLEST, min(_LARGEST, round(min(picture.size) * _SHARE)))
    thick = max(1, size // 8)
    for box in boxes:
        _outline(draw, box, thick)
    taken: list[Place] = []
    for box in boxes:
        _label(draw, box, size, taken)
    return picture


def caption(box: Box) -> str:
    """What is written at a box: its label, and its score in per cent."""
    return "  ".join(part for part in (box.label, "" if box.score is None else f"{box.score:.0%}") if part)


def _outline(draw: ImageDraw.ImageDraw, box: Box, thick: int) -> None:
    # Rounded, not cut off: a box that ends at 9.9 would else end a pixel early.
    left, top, right, bottom = (round(value) for value in box.corners)
    # A box of less than a pixel is still to be seen.
    right, bottom = max(left + 1, right), max(top + 1, bottom)
    colour, (on, off) = ROLES.get(box.role, _OTHER)
    if not off:
        draw.rectangle((left, top, right - 1, bottom - 1), outline=colour, width=thick)
        return
    inner_right, inner_bottom = max(left, right - thick), max(top, bottom - thick)
    for start, end in _dashes(left, right, thick * on, thick * off):
        draw.rectangle((start, top, end, top + thick - 1), fill=colour)
        draw.rectangle((start, inner_bottom, end, bottom - 1), fill=colour)
    for start, end in _dashes(top, bottom, thick * on, thick * off):
        draw.rectangle((left, start, left + thick - 1, end), fill=colour)
        draw.rectangle((inner_right, start, right - 1, end), fill=colour)


def _dashes(start: int, end: int, on: int, off: int) -> list[tuple[int, int]]:
    """First and last pixel of each dash between ``start`` and ``end`` (exclusive)."""
    return [(first, min(first + on, end) - 1) for first in range(start, end, on + off)]


def _label(draw: ImageDraw.ImageDraw, box: Box, size: int, taken: list[Place]) -> None:
    colour, _ = ROLES.get(box.role, _OTHER)
    font, margin = _font(size), max(1, size // 6)
    room = max(1.1 * (box.corners[2] - box.corners[0]), _WIDEST * draw.im.size[0])
    for text in filter(None, (caption(box), box.label)):
        left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
        width, height = right - left + 2 * margin, bottom - top + 2 * margin
        if width <= room:
            break
    else:
        return
    place = _free_place(box, (width, height), draw.im.size, taken)
    taken.append(place)
    draw.rectangle((place[0], place[1], place[2] - 1, place[3] - 1), fill=colour)
    ink = (0, 0, 0) if sum(colour) > _LIGHT else (255, 255, 255)
    draw.text((place[0] + margin - left, place[1] + margin - top), text, fill=ink, font=font)


def _free_place(box: Box, size: tuple[float, float], picture: tuple[int, int], taken: Sequence[Place]) -> Place:
    """The first of a few places that is inside the picture and covers no label; else the first."""
    (x1, y1, x2, y2), (width, height) = box.corners, size
    corners = ((x1, y1 - height), (x1, y2), (x2 - width, y1 - height), (x2 - width, y2), (x1, y1), (x1, y2 - height))
    # Above and below first: inside, a label hides the object that it names.
    places = [_inside(x, y, size, picture) for x, y in corners]
    fitting = [place for place, corner in zip(places, corners, strict=True) if abs(place[1] - corner[1]) < 1]
    free = [place for place in fitting if not any(_overlap(place, other) for other in taken)]
    return (free or fitting or places)[0]


def _inside(x: float, y: float, size: tuple[float, float], picture: tuple[int, int]) -> Place:
    left, top = (round(max(0.0, min(p, whole - part))) for p, part, whole in zip((x, y), size, picture, strict=True))
    return left, top, left + size[0], top + size[1]


def _overlap(one: Place, other: Place) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, in that height where Pillow was built with FreeType."""
    return ImageFont.load_default(size)
