"""What may be said of a curve that is noisy: how noisy it is, whether it goes up or down, what it comes to."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dlkit.diagnose.record import Course, Floats

FEWEST = 5
"""Values below which nothing is said of a curve: three second differences give no idea of the noise, and a trend in
four random values comes once in 24 by chance."""
PAIRED = 1000
"""Values of which each is compared with each: 10 ms and 20 MB, where 20,000 take 14 s and 6 GB."""


def noise(values: Floats) -> float:
    """The standard deviation of single values around a smooth course, by their distance from the mean of their two
    neighbours (variance 1.5 σ²), robustly; nan for fewer than five."""
    if len(values) < FEWEST:
        return math.nan
    off = values[1:-1] - (values[:-2] + values[2:]) / 2
    return float(1.4826 * np.median(np.abs(off)) / math.sqrt(1.5))


class Line(NamedTuple):
    """Least squares: ``slope`` a value, and ``t``, the slope by its standard error."""

    slope: float
    t: float


def line(values: Floats) -> Line:
    """Through values at equal distances, three at least."""
    x = np.arange(len(values)) - (len(values) - 1) / 2
    spread = float((x**2).sum())
    slope = float((x * values).sum() / spread)
    rest = values - values.mean() - slope * x
    error = math.sqrt(float((rest**2).sum()) / max(1, len(values) - 2) / spread)
    return Line(slope, slope / error if error > 0 else math.copysign(math.inf, slope) if slope else 0.0)


def tau(values: Floats) -> float:
    """Kendall's rank correlation with time, from −1 (falls throughout) to 1: what single values are does not matter.

    Of a long course every so-manieth value: pairs are many, and a tenth of them tells the same."""
    values = values[:: 1 + len(values) // PAIRED]
    pairs = np.sign(values[None, :] - values[:, None])[np.triu_indices(len(values), 1)]
    return float(pairs.mean()) if len(pairs) else 0.0


def blocks(course: Course, count: int) -> Floats:
    """The means of ``count`` equal parts of a course, in their order: fewer where it has fewer values."""
    parts = np.array_split(course.values, min(count, len(course.values)))
    return np.array([part.mean() for part in parts if len(part)])


def between(course: Course, steps: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """The mean of a course since the step before, for each of ``steps``; nan where nothing lies between."""
    ends = np.searchsorted(course.steps, steps, side="right")
    sums = np.concatenate([[0.0], np.cumsum(course.values)])
    starts = np.concatenate([[0], ends[:-1]])
    counts = ends - starts
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(counts > 0, (sums[ends] - sums[starts]) / counts, np.nan)
