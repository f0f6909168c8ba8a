"""Whether straight lines divide classes of points, proved either way; and the best that one line can do."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
_APART = 1e-7
"""A margin, in units of the points' spread, below which two classes touch."""
MOST = 3000
"""Points up to which the best line is looked for: the time grows with their square."""


def crossing(points: Floats, labels: Labels) -> list[int] | None:
    """Indices of a few points [N,2] that no linear classifier tells apart; empty: one tells all apart. None: unknown.

    A classifier takes the class of the highest w·(x, y) + b. That one exists is a linear programme: the margin by which
    every point's class is ahead is to be as large as can be. Where it is 0, the dual solution names the points: of two
    classes four at most, a point of the one's convex hull that is the other's too (Kirchberger 1903).
    """
    from scipy.optimize import linprog

    classes = np.unique(labels)
    if len(classes) < 2:
        return []
    corners = np.concatenate([_hull(points, np.flatnonzero(labels == label)) for label in classes])
    scaled = points - points.mean(0)
    scaled = np.c_[scaled / max(float(np.abs(scaled).max()), 1e-300), np.ones(len(points))]
    place = {label: i for i, label in enumerate(classes.tolist())}
    pairs = [
        (i, other) for i, other in product(corners.tolist(), range(len(classes))) if place[int(labels[i])] != other
    ]
    # Ahead: (w_own − w_other)·(x, y, 1) ≥ margin, the first class's w being 0: only differences count.
    rows = np.zeros((len(pairs), len(classes), 3))
    for row, (i, other) in enumerate(pairs):
        rows[row, place[int(labels[i])]] = -scaled[i]
        rows[row, other] = scaled[i]
    ahead = np.c_[rows[:, 1:].reshape(len(pairs), -1), np.ones(len(pairs))]
    bounds = [(-1.0, 1.0)] * (ahead.shape[1] - 1) + [(None, 1.0)]
    found = linprog(np.r_[np.zeros(ahead.shape[1] - 1), -1.0], A_ub=ahead, b_ub=np.zeros(len(pairs)), bounds=bounds)
    if found.status != 0:
        return None
    if found.x[-1] > _APART:
        return []
    return list(dict.fromkeys(pairs[row][0] for row in np.flatnonzero(found.ineqlin.marginals < -1e-9).tolist()))


def _hull(points: Floats, index: Labels) -> Labels:
    """Of the points at ``index``, those at the corners of their convex hull: lines that divide these divide all."""
    from scipy.spatial import ConvexHull, QhullError

    if len(index) <= 3:
        return index
    try:
        corners: Labels = index[ConvexHull(points[index]).vertices]
    except QhullError:  # they lie on a line, whose ends are its corners
        centred = points[index] - points[index].mean(0)
        along = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
        corners = index[[int(along.argmin()), int(along.argmax())]]
    return corners


def best_line(points: Floats, labels: Labels) -> float | None:
    """The largest share of points [N,2] of two classes that one line has on the right sides; None for too many.

    Whatever a line divides, one through a point of them does, turned between two others: all of these are tried, by
    counting who lies within half a turn (N² log N).
    """
    if len(points) > MOST:
        return None
    positive = labels == labels.max()
    best = max(int(positive.sum()), int((~positive).sum()))
    for pivot in range(len(points)):
        best = max(best, _best_through(points - points[pivot], positive))
    return best / len(points)


def _best_through(offsets: Floats, positive: npt.NDArray[np.bool_]) -> int:
    """The most points that a line through the origin has right, of which those at the origin may go to either side."""
    here = ~offsets.any(1)
    own = max(int((here & positive).sum()), int((here & ~positive).sum()))
    angle = np.arctan2(offsets[~here, 1], offsets[~here, 0]) % (2 * np.pi)
    kind = positive[~here]
    directions = np.unique(angle % np.pi)
    if not len(directions):
        return own
    gaps = np.diff(np.r_[directions, directions[0] + np.pi])
    between = (directions + gaps / 2)[gaps > 1e-12]  # two that lie in one direction, but for rounding, are one
    left = [_within(np.sort(angle[kind == which]), between) for which in (True, False)]
    totals = int(kind.sum()), int((~kind).sum())
    right = left[0] + totals[1] - left[1]
    return own + int(np.maximum(right, sum(totals) - right).max(initial=0))


def _within(sorted_angles: Floats, start: Floats) -> npt.NDArray[np.int64]:
    """How many angles lie within half a turn from each start, counterclockwise."""
    twice = np.r_[sorted_angles, sorted_angles + 2 * np.pi]
    start = start % (2 * np.pi)
    return np.searchsorted(twice, start + np.pi) - np.searchsorted(twice, start)
