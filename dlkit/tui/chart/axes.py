"""Ranges, ticks and what is written at them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from dlkit.tui.chart.thin import Spans

_CLOCK = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0, 21600.0,
          43200.0, 86400.0)  # fmt: skip
_HUGE = 1e307
"""Values beyond are drawn here: differences of greater ones are infinite."""


class Range(NamedTuple):
    """From the lowest to the highest value of an axis, ``low < high``."""

    low: float
    high: float


def value_range(lines: Sequence[Spans]) -> Range | None:
    """What holds everything that is drawn, in the plot's values; None if nothing is. A constant lies in the middle."""
    drawn = [part[np.isfinite(part)] for spans in lines for part in (spans.low, spans.high, spans.edges)]
    found = np.concatenate([part for part in drawn if len(part)] or [np.empty(0)])
    if not len(found):
        return None
    low, high = np.clip((found.min(), found.max()), -_HUGE, _HUGE).tolist()
    size = max(abs(low), abs(high))
    if high - low <= max(1e-12 * size, 1e-290):
        half = 0.1 * size if size > 1e-290 else 1.0
        middle = (low + high) / 2
        return Range(middle - half, middle + half)
    return Range(low, high)


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, at most ``most`` of them; up to five where there would be but one,
    which tells no distance."""
    most = max(2, most)
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    fuller: list[float] = []
    for times in (1, 2, 5, 10, 20):
        step = times * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        found = [number * step for number in range(first, last + 1)]
        if len(found) <= most:
            return found if len(found) > 1 else fuller
        fuller = found
    return fuller


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """``low`` and ``high`` are logarithms, and so are the ticks: decades; 1, 2, 5 where there are few of them; round
    values within a decade."""
    bottom, top = _power(low), _power(high)
    if high - low < 1 and 0 < bottom < top:
        return [math.log10(tick) for tick in linear_ticks(bottom, top, most) if tick > 0] or [low]
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    finer = [power + part for power in range(first - 1, last + 1) for part in (0.0, math.log10(2), math.log10(5))]
    finer = [tick for tick in finer if low - 1e-9 <= tick <= high + 1e-9] or [low]
    if len(finer) <= most or last - first < 1:
        return finer[:: math.ceil(len(finer) / max(1, most))]
    apart = math.ceil((last - first + 1) / max(1, most))
    decades = [float(power) for power in range(first, last + 1) if power % apart == 0]
    return decades if len(decades) > 1 else [float(first), float(last)]


def time_ticks(low: float, high: float, most: int) -> list[float]:
    """Seconds: multiples of what clocks and calendars count by, at most ``most`` of them."""
    most = max(2, most)
    if high - low < most:
        return linear_ticks(low, high, most)
    step = next((step for step in _CLOCK if (high - low) / step <= most), None)
    if step is None:
        return [tick * 86400 for tick in linear_ticks(low / 86400, high / 86400, most)]
    found = [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return found[:most] if len(found) > 1 else linear_ticks(low, high, most)


def labels(values: Sequence[float]) -> list[str]:
    """All with as many digits as tell neighbours apart."""
    step = min((b - a for a, b in pairwise(values)), default=0.0)
    size = max((abs(value) for value in values), default=0.0)
    if size == 0:
        return ["0" for _ in values]
    step = step or size / 100
    if not 1e-4 <= size < 1e6:
        digits = max(0, math.floor(math.log10(size)) - math.floor(math.log10(step) + 1e-9))
        return [_short(f"{value:.{min(digits, 15)}e}") for value in values]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{value:.{min(digits, 15)}f}" for value in values]


def log_labels(logarithms: Sequence[float]) -> list[str]:
    """Of ticks that are logarithms."""
    values = [_power(value) for value in logarithms]
    if len(values) > 1 and all(values) and values[-1] / values[0] < 10:
        return labels(values)
    return [_short(f"{value:.3g}") if value else f"1e{logarithm:.4g}" for value, logarithm in
            zip(values, logarithms, strict=True)]  # fmt: skip


def step_labels(values: Sequence[float]) -> list[str]:
    """``5000``, ``20k``, ``1.5M``; written out where that would not tell them apart."""
    if any(value != round(value) for value in values):
        return labels(values)
    short = [_counted(value) for value in values]
    return short if len(set(short)) == len(values) else [f"{value:.0f}" for value in values]


def thousands(value: float) -> str:
    """``1 200``; a fraction with two decimals."""
    return f"{value:,.0f}".replace(",", " ") if value == round(value) else f"{value:.2f}"


def _counted(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.6g}{unit}"
    return f"{value:.0f}"


def _power(logarithm: float) -> float:
    with np.errstate(over="ignore", under="ignore"):
        value = float(np.float64(10.0) ** logarithm)
    return value if 0 < value < math.inf else 0.0


def _short(text: str) -> str:
    """``1.5e+06`` → ``1.5e6``."""
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa}e{int(power)}" if exponent else text
