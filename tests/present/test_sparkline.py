"""A curve in one line of text."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from dlkit.present.sparkline import BLOCKS, BROKEN, sparkline

finite = st.floats(-1e6, 1e6)


@given(values=st.lists(finite, max_size=300), width=st.integers(1, 80))
def test_a_sparkline_fits_its_width(values: list[float], width: int):
    assert len(sparkline(values, width)) == min(width, len(values))


@given(place=st.integers(0, 999), height=st.sampled_from([5.0, -5.0]))
def test_a_sparkline_hides_no_spike(place: int, height: float):
    values = [0.0] * 1000
    values[place] = height
    line = sparkline(values, 40)
    assert line.count(BLOCKS[-1]) == (1 if height > 0 else 39)


def test_a_sparkline_marks_what_is_not_finite():
    assert sparkline([1.0, math.nan, 2.0, math.inf], 4) == f"{BLOCKS[0]}{BROKEN}{BLOCKS[-1]}{BROKEN}"
    assert sparkline([math.nan], 3) == BROKEN
    assert sparkline([3.0, 3.0], 9) == BLOCKS[0] * 2
