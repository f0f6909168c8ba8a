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
    count = len(values)
    columns = min(width, count)
    cells = [_extreme(values[i * count // columns : (i + 1) * count // columns]) for i in range(columns)]
    finite = [cell for cell in cells if math.isfinite(cell)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((cell - low) * scale)] if math.isfinite(cell) else BROKEN for cell in cells)


def _extreme(values: Sequence[float]) -> float:
    broken = next((value for value in values if not math.isfinite(value)), None)
    if broken is not None:
        return broken
    mean = sum(values) / len(values)
    return max(values, key=lambda value: abs(value - mean))
