"""Samples that are images: a grid with captions, or one with boxes on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.text import Text
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

from dlkit.present.numbers import number
from dlkit.present.samples import WRONG
from dlkit.present.text import clean
from dlkit.samples import Box, Boxes, Images
from dlkit.tui.sample.outlines import draw, draw_plain, in_letters, role_of, sign_of
from dlkit.tui.sample.picture import Pixels, filled, in_cells, padded, picture, rgba, scale_to, scaled
from dlkit.tui.shared.terminal import HALF_CELLS, Pictures

MOST = 100
"""Images that are shown of one sample."""
CAPTION = 14
"""Cells that a narrow image is widened to for its caption, at most."""
TILE = 8
"""Cells that a small image is given at least."""
LIST = 34
"""Cells of the list beside boxes, where there is room for it beside the image."""


def images(sample: Images, room: Size, pictures: Pictures) -> list[Widget]:
    """Rows of images, each row one picture with its captions below."""
    shown = [rgba(image) for image in sample.images[:MOST]]
    if not shown:
        return [Static("no images", markup=False)]
    captions = _captions(sample, len(shown))
    across, tile, factor = arrange(sample, room, pictures.grain, max(map(len, captions)))
    tiles = [scaled(image, factor) for image in shown]
    rows: list[Widget] = []
    for first in range(0, len(tiles), across):
        rows.append(picture(_side_by_side(tiles[first : first + across], tile, pictures.grain), pictures))
        if any(captions):
            rows.append(_caption_line(captions[first : first + across], sample.good[first : first + across], tile))
    left_out = len(sample.images) - len(shown)
    return [*rows, Static(f"… and {left_out} more", markup=False)] if left_out else rows


def arrange(sample: Images, room: Size, grain: tuple[int, int], caption: int) -> tuple[int, Size, float]:
    """How many images a row has, the cells that each gets, and the factor it is scaled by.

    As large as all fit without scrolling; where even small ones do not, as many in a row as are still told apart.
    """
    count, (height, width) = min(len(sample.images), MOST), sample.images.shape[1:3]
    lines = 1 if caption else 0
    least = min(room.width, max(TILE, min(caption, CAPTION)))
    most = max(1, min(sample.columns, count, (room.width + 1) // (least + 1)))
    wide = min((room.width + 1) // most - 1, max(TILE, -(-width // grain[0])))
    small, least_factor = _tile(height, width, Size(wide, max(1, room.height - lines)), grain, lines, least)
    fitting = []
    for across in (allowed := _allowed(sample, most)):
        rows = -(-count // across)
        space = Size((room.width + 1) // across - 1, room.height // rows - lines)
        tile, factor = _tile(height, width, space, grain, lines, least)
        told_apart = factor >= least_factor or round(width * factor) >= TILE * grain[0]
        if told_apart and rows * (tile.height + lines) <= room.height:
            fitting.append((across, tile, factor))
    if fitting:
        return max(fitting, key=lambda one: (one[2], one[0]))
    there = (room.width + 1) // (small.width + 1)
    return max(across for across in allowed if across == 1 or across <= there), small, least_factor


def _allowed(sample: Images, most: int) -> list[int]:
    """How many images a row may have. Rows of which only the first image has a caption belong together: they may be
    broken into equal parts, and nowhere else."""
    whole = len(sample.captions) > sample.columns and not any(
        caption for place, caption in enumerate(sample.captions) if place % sample.columns
    )
    return [across for across in range(1, most + 1) if not whole or sample.columns % across == 0]


def _tile(height: int, width: int, space: Size, grain: tuple[int, int], lines: int, least: int) -> tuple[Size, float]:
    """The cells of one image in ``space`` at most, and its factor."""
    factor = scale_to(height, width, (space.width * grain[0], max(1, space.height) * grain[1]))
    size = Size(-(-round(width * factor) // grain[0]), -(-round(height * factor) // grain[1]))
    return Size(max(min(least, space.width) if lines else 1, size.width), max(1, size.height)), factor


def _captions(sample: Images, count: int) -> list[str]:
    """One an image; those of images that are wrong begin with a sign."""
    given = [clean(caption).replace("\n", " ") for caption in sample.captions[:count]]
    given += [""] * (count - len(given))
    good = [*sample.good[:count], *[True] * (count - len(sample.good))]
    return [caption if fine else f"{WRONG} {caption}".rstrip() for caption, fine in zip(given, good, strict=True)]


def _caption_line(captions: Sequence[str], good: Sequence[bool], tile: Size) -> Static:
    text = Text(no_wrap=True, end="")
    for place, caption in enumerate(captions):
        cell = Text(caption, "" if place >= len(good) or good[place] else "bold red")
        cell.truncate(tile.width, overflow="ellipsis", pad=True)
        text.append_text(cell).append(" ")
    return Static(text)


def _side_by_side(tiles: Sequence[Pixels], tile: Size, grain: tuple[int, int]) -> Pixels:
    """One row: every image in its tile, a cell between two."""
    cell = Size(tile.width + 1, tile.height)
    return np.concatenate([padded(image, cell, grain) for image in tiles], axis=1)[:, : -grain[0]]


def boxes(sample: Boxes, room: Size, pictures: Pictures, colour: bool) -> list[Widget]:
    """The image with its boxes, and their list: beside it where there is room."""
    beside = room.width >= 2 * LIST
    space = (room.width - LIST - 1 if beside else room.width), room.height
    image = rgba(np.asarray(sample.image))
    drawn = filled(image, (space[0] * pictures.grain[0], space[1] * pictures.grain[1])).copy()
    shown = _outlined(drawn, sample.boxes, drawn.shape[1] / image.shape[1], pictures, colour)
    table = Static(box_list(sample.boxes, colour=colour))
    if not beside:
        return [shown, table]
    table.styles.width, table.styles.padding = LIST, (0, 0, 0, 1)
    row = Horizontal(shown, table)
    row.styles.height, row.styles.width = "auto", "auto"
    row.styles.min_height = in_cells(drawn, pictures.grain).height
    return [Vertical(row, classes="auto")]


def _outlined(drawn: Pixels, found: Sequence[Box], scale: float, pictures: Pictures, colour: bool) -> Widget:
    thick = max(1, min(pictures.grain) // 5)
    if colour:
        for box in found:
            draw(drawn, box, scale, thick)
    elif pictures.way == HALF_CELLS:
        return picture(drawn, pictures, in_letters(found, scale, drawn, in_cells(drawn, pictures.grain)))
    else:
        drawn = draw_plain(drawn, found, scale, thick)
    return picture(drawn, pictures)


def box_list(found: Sequence[Box], *, colour: bool) -> Text:
    """A line a box: how it is drawn, its role, label, score and corners."""
    if not found:
        return Text("no boxes")
    text = Text()
    for place, box in enumerate(found, 1):
        role = role_of(box)
        score = "" if box.score is None else f" {number(box.score)}"
        corners = "{:.0f},{:.0f} – {:.0f},{:.0f}".format(*box.corners)
        text.append(role.line, "rgb({},{},{})".format(*role.colour))
        text.append(f"{'' if colour else f' {sign_of(box, place)}'} {clean(box.role)} {clean(box.label)}{score}\n")
        text.append(f"     {corners}\n", "dim")
    text.rstrip()
    return text
