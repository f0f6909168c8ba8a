"""Samples as pictures for files, whatever their kind: one with the name of its step above it is a frame of a film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from dlkit.data.drawing import draw_boxes
from dlkit.present import confusion
from dlkit.present.coloured import coloured_text
from dlkit.present.graphs import graph
from dlkit.present.half_blocks import rgb
from dlkit.present.lettering import bare, cut, font, letters
from dlkit.present.numbers import number
from dlkit.present.plane import OWN
from dlkit.present.plane_pixels import painted
from dlkit.present.shades import BLACK, PAPER
from dlkit.samples import Box, Boxes, ConfusionMatrix, Images, Pairs, Plane, Sample, Shaded, Table, Text
from dlkit.steering import one_line, without_steering

WIDTH = 960
"""Pixels across at most."""
MOST_IMAGES, MOST_ROWS, MOST_LINES, MOST_LETTERS = 64, 60, 60, 8000
"""What of a sample is drawn: images of a grid, rows of a table, lines and letters of a text."""
ENLARGED = 8
"""How many times as large small images are drawn at most."""
LEAST = 480
"""Pixels across that a single picture is enlarged to, in whole steps."""
LINE, GAP = 20, 8
WRONG = (200, 30, 30)
FAINT = (110, 110, 110)
RULE = (205, 203, 196)
_BAR = 4


def frame(sample: Sample, head: str, share: float | None = None, width: int = WIDTH) -> Image.Image:
    """RGB, at most ``width`` across: the title and ``head`` above the sample, below it how far that is, from 0 to 1."""
    body = drawn(sample, width)
    title = one_line(sample.title or sample.name)
    words = letters("   ".join(part for part in (title, head) if part))
    across = max(body.width, min(width, round(font().getlength(words)) + 2 * GAP))
    whole = Image.new("RGB", (across, body.height + LINE + 2 * GAP + (_BAR if share is not None else 0)), PAPER)
    pen = ImageDraw.Draw(whole)
    pen.text((GAP, GAP), cut(words, across - 2 * GAP), BLACK, font())
    whole.paste(body, (0, LINE + 2 * GAP))
    if share is not None:
        pen.rectangle((0, whole.height - _BAR, round((across - 1) * share), whole.height), (60, 130, 220))
    return whole


def drawn(sample: Sample, width: int = WIDTH) -> Image.Image:
    """The sample alone."""
    picture = _images(sample, width) if isinstance(sample, Images) else _DRAWN[sample.kind](sample)
    if picture.width <= width:
        return picture
    return picture.resize((width, max(1, round(picture.height * width / picture.width))), Image.Resampling.BOX)


def _images(sample: Images, room: int) -> Image.Image:
    shown = [rgb(image) for image in sample.images[:MOST_IMAGES]]
    if not shown:
        return _words("no images")
    height, width = shown[0].shape[:2]
    across = max(1, min(sample.columns, len(shown), (room + GAP) // (width + GAP)))
    times = max(1, min(ENLARGED, ((room + GAP) // across - GAP) // width))
    cell_width, below = width * times + GAP, LINE if any(sample.captions) else 0
    cell_height = height * times + GAP + below
    rows = -(-len(shown) // across)
    sheet = Image.new("RGB", (across * cell_width + GAP, rows * cell_height + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, image in enumerate(shown):
        left, top = GAP + place % across * cell_width, GAP + place // across * cell_height
        sheet.paste(Image.fromarray(image.repeat(times, 0).repeat(times, 1)), (left, top))
        good = place >= len(sample.good) or sample.good[place]
        if not good:
            pen.rectangle((left - 2, top - 2, left + width * times + 1, top + height * times + 1), None, WRONG, 2)
        if below and place < len(sample.captions):
            text = cut(letters(one_line(sample.captions[place])), width * times + GAP - 2, 12)
            pen.text((left, top + height * times + 2), text, BLACK if good else WRONG, font(12))
    return sheet


def _boxes(sample: Boxes) -> Image.Image:
    image = rgb(np.asarray(sample.image))
    times = max(1, min(ENLARGED, LEAST // image.shape[1]))
    large = Image.fromarray(image.repeat(times, 0).repeat(times, 1))
    return draw_boxes(large, [_enlarged(box, times, large.size) for box in sample.boxes])


def _enlarged(box: Box, times: int, size: tuple[int, int]) -> Box:
    """Its corners in a picture that many times as large; those outside, or nowhere, at its edge."""
    x1, y1, x2, y2 = np.clip(np.nan_to_num(np.asarray(box.corners, np.float64)) * times, 0, [*size, *size]).tolist()
    return replace(box, corners=(x1, y1, x2, y2), label=bare(one_line(box.label)))


def _plane(sample: Plane) -> Image.Image:
    return Image.fromarray(painted(sample, min(WIDTH, 720)))


def _text(sample: Text) -> Image.Image:
    given = [(line, FAINT) for line in wrapped(sample.prompt, WIDTH - 2 * GAP)] if sample.prompt else []
    return _lines([*given, *((line, BLACK) for line in wrapped(sample.text, WIDTH - 2 * GAP))])


def _shaded(sample: Shaded) -> Image.Image:
    pieces = [bare(without_steering(piece)) for piece in sample.pieces]
    return coloured_text(pieces, [float(v) for v in sample.values], (sample.limits[0], sample.limits[1]))


def _confusion(sample: ConfusionMatrix) -> Image.Image:
    """The matrix's characters, each run where it stands: blanks are as wide as digits."""
    found, side = confusion.lines(sample), 9
    width = max(sum(len(text) for text, *_ in line) for line in found) * side + 2 * GAP
    sheet = Image.new("RGB", (width, len(found) * (LINE + 2) + 2 * GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, line in enumerate(found):
        left, top = GAP, GAP + place * (LINE + 2)
        for text, _, paper in line:
            if paper != OWN:
                pen.rectangle((left, top, left + len(text) * side - 2, top + LINE), f"#{paper:06x}")
            for at, letter in enumerate(letters(text)):
                if letter != " ":
                    pen.text((left + at * side, top + 2), letter, BLACK, font())
            left += len(text) * side
    return sheet


def _table(sample: Table | Pairs) -> Image.Image:
    cells = [[_cell(c) for c in row] for row in sample.rows[:MOST_ROWS]]
    headers = [letters(one_line(header)) for header in sample.headers]
    right = [
        bool(sample.rows) and all(isinstance(row[i], (int, float)) for row in sample.rows)
        for i in range(len(sample.headers))
    ]
    widths = _widths([headers, *cells])
    rows = [[wrapped(c, w) for c, w in zip(row, widths, strict=True)] for row in cells]
    heads = [wrapped(h, w) for h, w in zip(headers, widths, strict=True)]
    heights = [LINE * max(map(len, row), default=1) + GAP for row in (heads, *rows)]
    sheet = Image.new("RGB", (sum(widths) + (len(widths) + 1) * 2 * GAP, sum(heights) + GAP), PAPER)
    pen, top = ImageDraw.Draw(sheet), GAP // 2
    for place, (row, height) in enumerate(zip((heads, *rows), heights, strict=True)):
        left = 2 * GAP
        for lines, width, numbers in zip(row, widths, right, strict=True):
            for at, line in enumerate(lines):
                shift = width - font().getlength(line) if numbers else 0
                pen.text((left + shift, top + at * LINE), line, BLACK if place else FAINT, font())
            left += width + 2 * GAP
        top += height
        pen.line((GAP, top - GAP // 2, sheet.width - GAP, top - GAP // 2), RULE)
    return sheet


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Of columns, in pixels: as wide as they need; the widest give way until all fit."""
    needed = [max(round(font().getlength(row[i])) + 1 for row in rows) for i in range(len(rows[0]))]
    room = WIDTH - (len(needed) + 1) * 2 * GAP
    while sum(needed) > room and max(needed) > 60:
        needed[needed.index(max(needed))] -= 10
    return needed


def _cell(value: object) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    return number(plain) if isinstance(plain, float) else letters(one_line(str(plain)))


def wrapped(text: str, width: float) -> list[str]:
    """Lines that are no wider than so many pixels, broken at blanks where there are any; ``MOST_LINES`` of them."""
    lines: list[str] = []
    for paragraph in letters(without_steering(text[:MOST_LETTERS])).expandtabs(4).split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and font().getlength(longer) > width:
                lines.append(cut(line, width))
                longer = word
            line = longer
        lines.append(cut(line, width))
    return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], "…"]


def _words(text: str) -> Image.Image:
    return _lines([(text, FAINT)])


def _lines(lines: Sequence[tuple[str, tuple[int, int, int]]]) -> Image.Image:
    sheet = Image.new("RGB", (WIDTH, len(lines) * LINE + 2 * GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, (line, colour) in enumerate(lines):
        pen.text((GAP, GAP + place * LINE), line, colour, font())
    return sheet


_DRAWN: dict[str, Callable[[Any], Image.Image]] = {
    "boxes": _boxes,
    "text": _text,
    "shaded": _shaded,
    "pairs": _table,
    "table": _table,
    "confusion": _confusion,
    "curve": graph,
    "scatter": graph,
    "plane": _plane,
}
