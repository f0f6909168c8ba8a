"""A rectangle of the plane as a picture of any size, for files and for terminals that show real pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from dlkit.present.plane import Pixels, resized
from dlkit.samples import Marks, Plane

_FINE = 3
"""How many times as large it is drawn, to be averaged: edges without steps."""
_EDGE = (16, 18, 24)
WIDTH = 960
"""Pixels across of a picture that is written to a file."""
HIGHEST = 2160
"""Pixels from top to bottom at most: of 3 by 90 values, 720 across would be 21,600 high, and take 2 s and 0.5 GB."""


def painted(plane: Plane, width: int = WIDTH) -> Pixels:
    """uint8 [H,W,3], as wide as said, or narrower where it would be higher than ``HIGHEST``; without axes: colours,
    paths and points."""
    rows, columns = plane.image.shape[:2]
    width = max(1, min(width, HIGHEST * columns // rows))
    height = max(1, min(HIGHEST, round(width * rows / columns)))
    large = Image.fromarray(resized(plane.image, width * _FINE, height * _FINE))
    pen, radius = ImageDraw.Draw(large), max(2.0, width * _FINE / 170)
    for marks in plane.marks:
        if marks.joined:
            _path(pen, _pixels(plane, marks, large.size), marks, radius / 3)
    for marks in reversed(plane.marks):
        if not marks.joined:
            for x, y in _pixels(plane, marks, large.size):
                _point(pen, x, y, marks, radius)
    return np.asarray(large.resize((width, height), Image.Resampling.BOX), np.uint8)


def _pixels(plane: Plane, marks: Marks, size: tuple[int, int]) -> list[tuple[float, float]]:
    """Where the points lie, those far outside at the picture's brink."""
    (left, right), (low, high) = plane.x_range, plane.y_range
    x = (np.asarray(marks.x, np.float64) - left) / (right - left) * size[0]
    y = (high - np.asarray(marks.y, np.float64)) / (high - low) * size[1]
    kept = np.isfinite(x) & np.isfinite(y)
    brink = 4 * max(size)
    return list(zip(*(np.clip(v[kept], -brink, brink).tolist() for v in (x, y)), strict=True))


def _path(pen: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], marks: Marks, thick: float) -> None:
    if len(points) > 1:
        pen.line(points, fill=marks.colour, width=max(1, round(thick)), joint="curve")


def _point(pen: ImageDraw.ImageDraw, x: float, y: float, marks: Marks, radius: float) -> None:
    if marks.sign == "cross":
        for colour, thick in ((_EDGE, radius), (marks.colour, radius / 2)):
            for way in (1, -1):
                ends = [(x - radius, y - way * radius), (x + radius, y + way * radius)]
                pen.line(ends, fill=colour, width=max(1, round(thick)))
        return
    edge = radius / 3
    pen.ellipse((x - radius - edge, y - radius - edge, x + radius + edge, y + radius + edge), fill=_EDGE)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=marks.colour)
    if marks.sign == "ring":
        hole = radius / 2
        pen.ellipse((x - hole, y - hole, x + hole, y + hole), fill=_EDGE)
