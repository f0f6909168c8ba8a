"""A curve in one line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
BROKEN = "×"


def sparkline(values: Sequence[float], width: int) -> str:
    """At most ``width`` blocks from the lowest to the highest value; ``×`` where one is not finite.

    A block stands for several values when there are more of them: then for the one farthest from their mean, so that
    no spike is hidden.
    """
    cells = thinned(values, width)
    finite = [cell for cell in cells if math.isfinite(cell)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((cell - low) * scale)] if math.isfinite(cell) else BROKEN for cell in cells)


def bars(values: Sequence[float | None], low: float, high: float, height: int) -> list[str]:
    """Values as columns of blocks, ``height`` lines, the highest first: ``low`` is a line at the foot, ``high`` the
    whole height; None, and what is not finite, is blank."""
    scale = 8 * height / (high - low) if high > low else 0.0
    eighths = [
        None if v is None or not math.isfinite(v) else min(8 * height, max(1, round((v - low) * scale))) for v in values
    ]
    lines = []
    for level in range(height - 1, -1, -1):
        cells = (" " if e is None or e <= 8 * level else BLOCKS[min(8, e - 8 * level) - 1] for e in eighths)
        lines.append("".join(cells))
    return lines


def thinned(values: Sequence[float], width: int) -> list[float]:
    """At most ``width`` of the values, each for as many around it as the others."""
    count = len(values)
    columns = min(width, count)
    return [_extreme(values[i * count // columns : (i + 1) * count // columns]) for i in range(columns)]


def _extreme(values: Sequence[float]) -> float:
    broken = next((value for value in values if not math.isfinite(value)), None)
    if broken is not None:
        return broken
    mean = sum(values) / len(values)
    return max(values, key=lambda value: abs(value - mean))
