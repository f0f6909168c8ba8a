"""Curves of any length in few points, of which nothing is lost that a picture would show."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dlkit.report.thinning import thinned

VALUES = st.one_of(st.floats(-5, 5), st.sampled_from([float("nan"), float("inf"), float("-inf"), 0.0]))


@given(st.lists(st.tuples(st.integers(0, 40), VALUES), max_size=120), st.integers(1, 12))
def test_every_part_keeps_its_ends_and_extremes(points: list[tuple[int, float]], columns: int) -> None:
    points = sorted(points, key=lambda point: point[0])
    x, y = np.array([p[0] for p in points], np.int64), np.array([p[1] for p in points])
    kept = thinned(x, y, columns)
    assert (np.diff(kept) > 0).all() and len(kept) <= max(4 * columns, 5 * columns)
    if len(x) <= 4 * columns:
        assert len(kept) == len(x)
        return
    width = int(x[-1]) - int(x[0])
    part = np.minimum((x - x[0]) / width * columns, columns - 1).astype(int) if width else np.zeros(len(x), int)
    for number in np.unique(part):
        all_of, ours = np.flatnonzero(part == number), kept[part[kept] == number]
        assert all_of[0] in ours and all_of[-1] in ours
        finite, seen = y[all_of][np.isfinite(y[all_of])], y[ours][np.isfinite(y[ours])]
        if len(finite):
            assert (finite.min(), finite.max()) == (seen.min(), seen.max())
        assert len(finite) == len(all_of) or not np.isfinite(y[ours]).all(), "what is no number shows too"


def test_of_a_million_points_no_spike_is_lost() -> None:
    x, y = np.arange(1_000_000), np.zeros(1_000_000)
    spikes = [3, 4, 123_456, 999_998]
    y[spikes] = [50.0, -50.0, 70.0, 90.0]
    kept = thinned(x, y, 1500)
    assert set(spikes) <= set(kept.tolist()) and len(kept) <= 6000
