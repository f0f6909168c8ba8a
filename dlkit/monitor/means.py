"""Courses of several runs as one: their mean, and how far they spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dlkit.runs.groups import SEED

Floats = npt.NDArray[np.float64]
Course = tuple[npt.NDArray[np.int64] | Floats, Floats]
MOST = 4096
"""Points of a mean: a line has a few hundred columns."""
BUT_SEED = "*"
"""Groups by all settings that differ but the seed."""


class Together(NamedTuple):
    """Runs of one value of a setting: what it is called, and the places of its runs."""

    name: str
    places: tuple[int, ...]


class MeanCourse(NamedTuple):
    """``x`` ascending; ``mean`` at each over the runs that have come so far; ``low`` and ``high`` are one standard
    deviation (n − 1) below and above, NaN where a single run tells none."""

    x: Floats
    mean: Floats
    low: Floats
    high: Floats


def together(settings: Mapping[str, Sequence[object]], count: int, by: str) -> list[Together]:
    """``count`` runs by their values of a setting (a key of ``settings``, each with a value a run), in the order of the
    first of each; ``BUT_SEED``: by all of them but the seed."""
    keys = [key for key in settings if key != SEED] if by == BUT_SEED else [by] * (by in settings)
    found: dict[tuple[str, ...], list[int]] = {}
    for place in range(count):
        found.setdefault(tuple(_word(settings[key][place]) for key in keys), []).append(place)
    names = [key.removesuffix(".name").rpartition(".")[2] for key in keys]
    return [
        Together(", ".join(map(" ".join, zip(names, values, strict=True))) or "all", tuple(places))
        for values, places in found.items()
    ]


def mean_course(courses: Sequence[Course]) -> MeanCourse:
    """Each course between its own ends, linearly between its points; finite values alone."""
    there = [(x[np.isfinite(y)].astype(np.float64), y[np.isfinite(y)]) for x, y in courses]
    there = [(x, y) for x, y in there if len(x)]
    if not there:
        return MeanCourse(*(np.empty(0) for _ in range(4)))
    x = np.unique(np.concatenate([xs for xs, _ in there]))
    if len(x) > MOST:
        x = x[np.linspace(0, len(x) - 1, MOST).round().astype(int)]
    rows = np.stack([np.interp(x, xs, ys, left=np.nan, right=np.nan) for xs, ys in there])
    known = np.isfinite(rows)
    n = known.sum(0)
    mean = np.where(known, rows, 0.0).sum(0) / n
    squares = (np.where(known, rows - mean, 0.0) ** 2).sum(0)
    spread = np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)
    return MeanCourse(x, mean, mean - spread, mean + spread)


def _word(value: object) -> str:
    return "-" if value is None else str(value)
