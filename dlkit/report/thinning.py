"""A course of any length in few points, of which any line drawn over as many columns looks as if it had them all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64] | Floats
Places = npt.NDArray[np.intp]


def thinned(x: Numbers, y: Floats, columns: int) -> Places:
    """Places of the points that stay, ascending: in each of ``columns`` equal parts of ``x`` (which ascends) the
    first and the last, the lowest and the highest, and the first that is not finite. So no spike is lost, and the
    lines from part to part are those of all points (M4: Jugel et al., VLDB 2014, doi:10.14778/2732951.2732953)."""
    if len(x) <= 4 * columns:
        return np.arange(len(x))
    part = _parts(x, columns)
    starts = np.flatnonzero(np.r_[True, part[1:] != part[:-1]])
    finite = np.isfinite(y)
    kept = [starts, np.r_[starts[1:], len(x)] - 1, _first_of(part, ~finite)]
    for worst, best in ((np.inf, np.minimum), (-np.inf, np.maximum)):
        values = np.where(finite, y, worst)
        extremes = np.repeat(best.reduceat(values, starts), np.diff(np.r_[starts, len(x)]))
        kept.append(_first_of(part, finite & (values == extremes)))
    return np.unique(np.concatenate(kept))


def _parts(x: Numbers, columns: int) -> Places:
    low, width = float(x[0]), float(x[-1]) - float(x[0])
    if not width > 0:
        return np.zeros(len(x), np.intp)
    found: Places = np.minimum((x - low) / width * columns, columns - 1).astype(np.intp)
    return found


def _first_of(part: Places, marked: npt.NDArray[np.bool_]) -> Places:
    """The first marked place of every part that has one."""
    places = np.flatnonzero(marked)
    return places[np.unique(part[places], return_index=True)[1]]
