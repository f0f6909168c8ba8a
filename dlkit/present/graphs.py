"""Curves and scatters as pictures for files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from dlkit.present.lettering import font, letters
from dlkit.present.numbers import number
from dlkit.present.shades import BLACK, PAPER
from dlkit.samples import Curve, Scatter
from dlkit.steering import one_line

WIDTH, HEIGHT, EDGE, SIZE = 720, 400, 64, 13
COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233), (0, 0, 0))
"""Okabe and Ito's, which colour-blind people tell apart (jfly.uni-koeln.de/color); yellow is left out on paper."""
Floats = npt.NDArray[np.float64]


def graph(sample: Curve | Scatter) -> Image.Image:
    """Lines over a common x, or points, a colour for each label; what is not finite is left out."""
    series = _series(sample)
    sheet = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(sheet)
    xs, ys = (np.concatenate([values[i] for _, *values in series] or [np.empty(0)]) for i in (0, 1))
    if not len(xs):
        pen.text((EDGE, EDGE), "no finite values", BLACK, font(SIZE))
        return sheet
    ranges = _range(xs), _range(ys)
    labels = letters(one_line(sample.x_label)), letters(one_line(sample.y_label))
    _axes(pen, ranges, labels)
    left = max(EDGE, round(font(SIZE).getlength(labels[1])) + 24)
    for place, (name, x, y) in enumerate(series):
        colour = COLOURS[place % len(COLOURS)]
        points = list(zip(_scaled(x, ranges[0], EDGE, WIDTH - 16), _scaled(y, ranges[1], HEIGHT - 40, 32), strict=True))
        if isinstance(sample, Curve) and len(points) > 1:
            pen.line(points, colour, 2, joint="curve")
        else:
            for px, py in points:
                pen.ellipse((px - 3, py - 3, px + 3, py + 3), colour)
        if name:
            shown = letters(one_line(name))
            pen.text((left, 8), shown, colour, font(SIZE))
            left += round(font(SIZE).getlength(shown)) + 20
    return sheet


def _series(sample: Curve | Scatter) -> list[tuple[str, Floats, Floats]]:
    """Name, x and y of each, finite and, of a curve, in the order of x."""
    x = np.asarray(sample.x, np.float64)
    if isinstance(sample, Curve):
        return [(name, *_finite(x, np.asarray(y, np.float64))) for name, y in sample.lines.items()]
    names = np.asarray([str(label) for label in sample.labels] or [""] * len(x))
    y = np.asarray(sample.y, np.float64)
    return [(name, *_finite(x[names == name], y[names == name])) for name in dict.fromkeys(names.tolist())]


def _finite(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    kept = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(x[kept], kind="stable")
    return x[kept][order], y[kept][order]


def _range(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _scaled(values: Floats, limits: tuple[float, float], first: int, last: int) -> list[float]:
    """Pixels along an axis; made small first, since a difference of huge values overflows."""
    scale = max(map(abs, limits)) or 1.0
    low, high = (limit / scale for limit in limits)
    share = (values / scale - low) / (high - low) if low < high else np.full(len(values), 0.5)
    found: list[float] = (first + share * (last - first)).tolist()
    return found


def _axes(
    pen: ImageDraw.ImageDraw,
    ranges: tuple[tuple[float, float], tuple[float, float]],
    labels: Sequence[str],
) -> None:
    (x_low, x_high), (y_low, y_high) = ranges
    bottom = HEIGHT - 36
    pen.line((EDGE - 4, 28, EDGE - 4, bottom), BLACK)
    pen.line((EDGE - 4, bottom, WIDTH - 12, bottom), BLACK)
    pen.text((4, 28), number(y_high), BLACK, font(SIZE))
    pen.text((4, bottom - 16), number(y_low), BLACK, font(SIZE))
    pen.text((4, 8), labels[1], BLACK, font(SIZE))
    pen.text((EDGE, bottom + 6), number(x_low), BLACK, font(SIZE))
    high = number(x_high)
    pen.text((WIDTH - 16 - font(SIZE).getlength(high), bottom + 6), high, BLACK, font(SIZE))
    pen.text(((WIDTH - font(SIZE).getlength(labels[0])) / 2, bottom + 6), labels[0], BLACK, font(SIZE))
