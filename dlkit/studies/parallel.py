"""Parallel coordinates: an upright axis an option, the metric's last; a line a setting, through its values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from dlkit.studies.results import Results
from dlkit.studies.scales import Scale, scale_of, values_of

MOST_AXES = 8
"""Options that have room beside each other: of more, those that matter most."""
BEST = 0.1
"""The share of the settings that are the best ones: one at least."""


class Line(NamedTuple):
    """One setting. ``places`` are 0 to 1 on each axis, None where it lacks the option; ``best``: whether it is among
    the best."""

    setting: int
    places: Sequence[float | None]
    best: bool


class Parallel(NamedTuple):
    """``axes`` from left to right; the last is the metric's, on which less is further up where less is better
    (``flipped``). ``lines``: the best last, so that it is drawn over the others. ``left_out`` options have no room."""

    axes: Sequence[Scale]
    lines: Sequence[Line]
    left_out: Sequence[str]
    flipped: bool


def parallel(found: Results, keys: Sequence[str]) -> Parallel:
    """Of settings with a finite mean; ``keys`` are the options, those that matter most first."""
    rows = [(row, row.mean.mean) for row in found.rows if row.mean is not None and math.isfinite(row.mean.mean)]
    chosen = [key for key in found.keys if key in keys[:MOST_AXES]]
    scales = [scale_of(key, values_of(key, [row.values for row, _ in rows])) for key in chosen]
    metric = scale_of(found.question.metric, [mean for _, mean in rows])
    flipped = found.question.direction == "min"
    best = max(1, round(BEST * len(rows)))
    lines = []
    for rank, (row, mean) in enumerate(rows):
        places = [
            scale.place(row.values[key]) if key in row.values else None
            for key, scale in zip(chosen, scales, strict=True)
        ]
        up = metric.place(mean)
        lines.append(Line(row.number, [*places, 1 - up if flipped and up is not None else up], rank < best))
    return Parallel([*scales, metric], lines[::-1], [key for key in found.keys if key not in chosen], flipped)
