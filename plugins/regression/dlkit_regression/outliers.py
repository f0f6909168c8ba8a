"""Numbers that are none: marks of missing data, beside which everything else would be one value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlkit.data.tables import Floats, RawTable

NARROW = 1e-3
"""Deviations within which all other values lie where one takes the whole scale for itself."""
MARKS = frozenset(
    [
        *(sign * 9.0 * (10**digits - 1) / 9 for digits in range(2, 8) for sign in (1, -1)),  # 99, 999, −9999, …
        *(-32768.0, 32767.0, 65535.0, -2147483648.0, 2147483647.0, 4294967295.0),
        *(1e20, -1e20, 1e30, -1e30, 1e35, -1e35, 1e37, -1e37),
    ]
)
"""What instruments and maps write where they have no value."""


def looked_for(table: RawTable, name: str, values: Floats, *, refuse: bool) -> list[str]:
    """A note of a value that is probably a mark. DataError names the cell of one that leaves nothing of the others."""
    known = values[~np.isnan(values)]
    # One of both ends, or both: maps have a lowest and a highest mark.
    for marks in _candidates(known):
        rest = known[~np.isin(known, marks)]
        span = float(rest.max() - rest.min())
        row = int(np.isin(values, marks).argmax())
        what = f"{table.columns[name][row]} is far from all others, which are {rest.min():.6g} to {rest.max():.6g}"
        advice = f"dataset.missing_words = {values[row]:.17g} takes it for a missing value"
        if refuse and 0 < span < NARROW * float(known.std()):
            keep = "dataset.outliers = keep for a number"
            raise table.error(row, name, f"{what}: beside it they are one value. {advice}, {keep}")
        if set(marks) <= MARKS and _apart(rest, marks) > span:
            count = int(np.isin(values, marks).sum())
            return [f"{name}: {count} cells such as {table.where(row)}: {what}; {advice}"]
    return []


def _candidates(known: Floats) -> Sequence[list[float]]:
    if not len(known):
        return ()
    low, high = float(known.min()), float(known.max())
    found = ([low], [high], [low, high])
    return [marks for marks in found if len(np.unique(known[~np.isin(known, marks)])) > 1]


def _apart(rest: Floats, marks: Sequence[float]) -> float:
    return min(float(np.abs(rest - mark).min()) for mark in marks)
