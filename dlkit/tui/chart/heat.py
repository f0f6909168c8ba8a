"""Distributions over the x axis, as colours: how often a value occurs at each step."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

import numpy as np
from rich.color import Color
from rich.style import Style

from dlkit.tui.chart.axes import Range
from dlkit.tui.chart.canvas import Sheet
from dlkit.tui.chart.frame import Frame, Theme
from dlkit.tui.chart.line import Heat, Line
from dlkit.tui.chart.look import Extent, Look
from dlkit.tui.chart.thin import Floats

_LEVELS = 16
_SHADES = " ░▒▓█"
_PLAIN = " .:*#"
"""For terminals without colours, and without block characters."""


def paint(
    sheet: Sheet, frame: Frame, values: Range, line: Line, look: Look, extent: Extent, theme: Theme, *, log_y: bool
) -> None:
    """Each distribution from its step up to the next one's, two parts a cell above each other. Under a log axis only
    what is logarithms itself has a place, and under a linear one only what is not."""
    heat = line.heat
    if heat is None or heat.decades != log_y or not len(line.x):
        return
    at = np.array([look.at(extent, (column + 0.5) / frame.columns) for column in range(frame.columns)])
    which = np.searchsorted(line.x, at, "right") - 1
    seen = (which >= 0) & (at <= line.x[-1] + (at[-1] - at[0]) / len(at))
    shares = np.where(
        seen[:, None], _by_rows(heat, values, 2 * frame.rows)[which.clip(0)], 0.0
    ).T  # [2 · rows, columns]
    levels = np.ceil(shares.clip(0, 1) * (_LEVELS - 1)).astype(int)
    ink = Color.parse(theme.of(line))
    for row, (upper, lower) in enumerate(zip(levels[::2], levels[1::2], strict=True)):
        for column, pair in enumerate(zip(upper.tolist(), lower.tolist(), strict=True)):
            if any(pair):
                sign, style = _cell(pair, ink, theme)
                sheet.text(frame.top + row, frame.left + column, sign, style)


def _by_rows(heat: Heat, values: Range, count: int) -> Floats:
    """[N, count] from the top: of the parts that a row covers the fullest, or one that is narrow (the zeros of a ReLU)
    would not be seen."""
    edges = values.high - np.arange(count + 1) / count * (values.high - values.low)
    parts = (edges - heat.low) / (heat.high - heat.low) * heat.shares.shape[1]
    found = np.zeros((len(heat.shares), count))
    for row, (above, below) in enumerate(pairwise(parts.tolist())):
        first, last = max(0, math.floor(below)), min(heat.shares.shape[1], math.ceil(above))
        if first < last:
            found[:, row] = heat.shares[:, first:last].max(1)
    return found


def _cell(pair: tuple[int, int], ink: Color, theme: Theme) -> tuple[str, Style]:
    if not theme.colour or theme.plain:
        return (_PLAIN if theme.plain else _SHADES)[-(-max(pair) * 4 // (_LEVELS - 1))], Style(color=ink)
    return "▀", _coloured(pair, ink.get_truecolor(), theme.ground)


@lru_cache(2048)
def _coloured(pair: tuple[int, int], ink: tuple[int, int, int], ground: tuple[int, int, int]) -> Style:
    upper, lower = (
        Color.from_rgb(*(g + (i - g) * level / (_LEVELS - 1) for g, i in zip(ground, ink, strict=True)))
        for level in pair
    )
    return Style(color=upper, bgcolor=lower)
