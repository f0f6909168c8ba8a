"""Boxes on a picture: in their roles' colours; where nothing may have one, told apart by lines and letters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from textual.geometry import Size

from dlkit.present.text import clean
from dlkit.samples import Box
from dlkit.tui.sample.picture import Pixels

Cells = Mapping[tuple[int, int], str]
"""Characters that stand over a picture, by column and row of its cells."""


class Role(NamedTuple):
    """How boxes of one role look."""

    colour: tuple[int, int, int]
    dashes: tuple[int, int]
    """Pixels on, pixels off; 0: solid."""
    line: str
    """As characters: along, and the same where a list says what is what."""
    upright: str


ROLES = {
    "true": Role((0, 200, 0), (1, 0), "━━━━", "┃"),
    "predicted": Role((255, 200, 0), (4, 2), "╺╸╺╸", "╏"),
    "missed": Role((80, 140, 255), (1, 1), "····", "·"),
    "false": Role((255, 60, 60), (2, 4), "─ ─ ", "╎"),
}
_OTHER = Role((255, 255, 255), (1, 0), "━━━━", "┃")
_EDGE = 3
"""Times as thick as its line is the black that an outline without colour has around it."""
_LETTERS = 12
"""Pixels that letters in a picture are high, at least."""


def role_of(box: Box) -> Role:
    """How a box is drawn; one of a role that nobody knows is white."""
    return ROLES.get(box.role, _OTHER)


def sign_of(box: Box, number: int) -> str:
    """What a box is called in picture and list where there is no colour: its role's letter, its place in the list."""
    return f"{clean(box.role)[:1].upper()}{number}"


def draw(image: Pixels, box: Box, scale: float, thick: int = 1) -> None:
    """Draw a box's outline in its role's colour and dashes. A corner outside is drawn at the edge."""
    role = role_of(box)
    _outline(image, _corners(image, box, scale), role.colour, role.dashes, thick)


def draw_plain(image: Pixels, boxes: Sequence[Box], scale: float, thick: int) -> Pixels:
    """Outlines in white on black, dashed by role, and each box's sign in its corner: as well seen on a bright picture
    as on a dark one."""
    for box in boxes:
        corners, role = _corners(image, box, scale), role_of(box)
        _outline(image, corners, (0, 0, 0), (1, 0), _EDGE * thick)
        inner = (corners[0] + thick, corners[1] + thick, corners[2] - thick, corners[3] - thick)
        _outline(image, inner, (255, 255, 255), role.dashes, thick)
    picture = Image.fromarray(image)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(max(_LETTERS, 5 * thick))
    right: dict[tuple[int, int], float] = {}
    for number, box in enumerate(boxes, 1):
        x, y = _corners(image, box, scale)[:2]
        place = right.get((x, y), x + 2), y  # beside the sign of a box with the same corner
        written = pen.textbbox(place, sign_of(box, number), font)
        right[x, y] = written[2] + 2
        pen.rectangle(written, (0, 0, 0, 255))
        pen.text(place, sign_of(box, number), (255, 255, 255, 255), font)
    return np.asarray(picture, np.uint8)


def in_letters(boxes: Sequence[Box], scale: float, picture: Pixels, cells: Size) -> Cells:
    """The same for a picture of half-cells, whose pixels are too coarse: lines of characters, on black."""
    found: dict[tuple[int, int], str] = {}
    placed = [(box, *_corners(picture, box, scale)) for box in boxes]
    for box, x1, y1, x2, y2 in placed:
        found.update(_frame(role_of(box), x1, y1 // 2, x2, y2 // 2))
    signs: dict[tuple[int, int], str] = {}
    for number, (box, x1, y1, *_) in enumerate(placed, 1):
        sign = sign_of(box, number)
        left = max(0, min(x1, cells.width - len(sign)))
        while (left, y1 // 2) in signs and left + 2 * len(sign) <= cells.width:
            left += len(sign)  # beside that of a box with the same corner
        signs.update({(left + place, y1 // 2): letter for place, letter in enumerate(sign)})
    return {**found, **signs}


def _frame(role: Role, x1: int, y1: int, x2: int, y2: int) -> Iterator[tuple[tuple[int, int], str]]:
    for y in range(y1, y2 + 1):
        yield from (((x, y), role.upright) for x in (x1, x2))
    for x in range(x1, x2 + 1):
        yield from (((x, y), role.line[(x - x1) % len(role.line)]) for y in (y1, y2))


def _corners(image: Pixels, box: Box, scale: float) -> tuple[int, int, int, int]:
    """In the picture's pixels, none outside of it."""
    height, width = image.shape[:2]
    limits = np.array([width - 1, height - 1] * 2)
    corners = np.nan_to_num(np.array(box.corners, np.float64) * scale)
    x1, y1, x2, y2 = np.clip(np.rint(corners), 0, limits).astype(int).tolist()
    return x1, y1, x2, y2


def _outline(
    image: Pixels,
    corners: tuple[int, int, int, int],
    colour: tuple[int, int, int],
    dashes: tuple[int, int],
    thick: int,
) -> None:
    height, width = image.shape[:2]
    (x1, y1, x2, y2), (on, off) = corners, dashes
    shade = np.array([*colour, 255], np.uint8)

    def dashed(start: int, end: int) -> list[int]:
        return [p for p in range(start, end + 1) if not off or (p - start) // thick % (on + off) < on]

    for t in range(thick):
        image[[min(y1 + t, height - 1), max(y2 - t, 0)], np.array(dashed(x1, x2), int)[:, None]] = shade
        image[np.array(dashed(y1, y2), int)[:, None], [min(x1 + t, width - 1), max(x2 - t, 0)]] = shade
