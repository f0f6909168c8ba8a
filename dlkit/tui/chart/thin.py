"""From any number of points to what a line covers in each column of dots: no value in the window is ever left out."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[Any]
Side: TypeAlias = Literal["left", "right"]


class Spans(NamedTuple):
    """What a line covers in N columns. Values are those of the plot: logarithms to base 10 under a log axis."""

    low: Floats
    high: Floats
    """[N] the lowest and highest finite value of the points in a column; NaN where there are none."""
    edges: Floats
    """[N+1] where the line crosses from column to column; NaN where it is broken, or has not begun, or has ended."""
    above: npt.NDArray[np.bool_]
    below: npt.NDArray[np.bool_]
    """[N] columns with a value that cannot be drawn: infinity above; NaN or minus infinity below."""
    left_out: int
    """Points in the window that a log axis has no place for; steps not above 0 are in one that shows all others."""


def column_edges(x0: float, x1: float, count: int, *, log: bool = False) -> Floats:
    """The ``count + 1`` borders of equally wide columns over x0 … x1 (both positive if ``log``)."""
    if log:
        edges = np.logspace(np.log10(x0), np.log10(x1), count + 1)
    else:
        edges = np.linspace(x0, x1, count + 1)
    edges[0], edges[-1] = x0, x1
    return edges


def thin(x: Numbers, y: Floats, edges: Floats, *, log_x: bool = False, log_y: bool = False) -> Spans:
    """``x`` ascending, ``y`` as many, ``edges`` those of the columns: column i holds edges[i] ≤ x < edges[i+1], the
    last one edges[-1] too. A function of the points alone, however they came."""
    bounds = _search(x, edges, "left")
    crossing = _crossings(x, y, edges, bounds, log_x=log_x, log_y=log_y)
    bounds[-1] = _search(x, edges[-1:], "right")[0]
    part = y[bounds[0] : bounds[-1]]
    above = below = np.zeros(len(edges) - 1, np.bool_)
    left_out = _not_above_zero(x, bounds) if log_x else 0
    drawable = np.isfinite(part)
    if not drawable.all():
        infinite = part == np.inf
        above, below = _any(infinite, bounds), _any(~drawable & ~infinite, bounds)
    if log_y:
        positive = part > 0
        left_out += int(np.count_nonzero(drawable & ~positive))
        drawable &= positive
    low, high = _extremes(part if drawable.all() else np.where(drawable, part, np.nan), bounds)
    return Spans(_log(low) if log_y else low, _log(high) if log_y else high, crossing, above, below, left_out)


def _search(x: Numbers, places: Floats, side: Side) -> npt.NDArray[np.intp]:
    """searchsorted that does not copy a million integers into floats first."""
    if x.dtype.kind == "i":
        whole = np.ceil(places) if side == "left" else np.floor(places)
        return np.searchsorted(x, np.clip(whole, -(2.0**62), 2.0**62).astype(x.dtype), side)
    return np.searchsorted(x, places, side)


def _not_above_zero(x: Numbers, bounds: npt.NDArray[np.intp]) -> int:
    """How many, if the window begins with the first point beyond them."""
    count = int(np.searchsorted(x, 0, "right"))
    return count if bounds[0] <= count else 0


def _extremes(part: Floats, bounds: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    low = np.full(len(bounds) - 1, np.nan)
    high = low.copy()
    filled = bounds[1:] > bounds[:-1]
    if filled.any():  # the next filled column begins where one ends: reduceat needs the beginnings only
        starts = bounds[:-1][filled] - bounds[0]
        low[filled] = np.fmin.reduceat(part, starts)
        high[filled] = np.fmax.reduceat(part, starts)
    return low, high


def _any(marked: npt.NDArray[np.bool_], bounds: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Whether there is a mark among the points of each column."""
    counts = np.concatenate(([0], np.cumsum(marked)))
    found: npt.NDArray[np.bool_] = np.diff(counts[bounds - bounds[0]]) > 0
    return found


def _crossings(
    x: Numbers, y: Floats, edges: Floats, after: npt.NDArray[np.intp], *, log_x: bool, log_y: bool
) -> Floats:
    """The line's height at the borders: between the last point before and the first one not before it."""
    found = np.full(len(edges), np.nan)
    inside = (after > 0) & (after < len(x))
    if not inside.any():
        return found
    following = after[inside]
    x_a, x_b, at = x[following - 1].astype(float), x[following].astype(float), edges[inside]
    y_a, y_b = y[following - 1], y[following]
    if log_x:
        x_a, x_b, at = _log(x_a), _log(x_b), _log(at)
    if log_y:
        y_a, y_b = _log(y_a), _log(y_b)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        share = (at - x_a) / (x_b - x_a)
        height = y_a * (1 - share) + y_b * share
        # Rounding must not lift the line over the points that it joins.
        height = np.clip(height, np.minimum(y_a, y_b), np.maximum(y_a, y_b))
    found[inside] = np.where(np.isfinite(height), height, np.nan)
    return found


def _log(values: Floats) -> Floats:
    """To base 10; NaN for what has none."""
    return np.log10(np.where(values > 0, values, np.nan))
