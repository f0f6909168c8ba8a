"""Learning-rate schedules: where they begin, peak and end."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dlkit.engine.schedules import build_schedule

NAMES = st.sampled_from(["constant", "cosine", "one-cycle"])
SHARES = st.floats(0, 1, allow_nan=False)
WARMUPS = st.floats(0, 0.95)


@given(name=NAMES, total=st.integers(1, 400), warmup=WARMUPS, final=SHARES)
def test_factors_lie_between_nothing_and_the_peak(name: str, total: int, warmup: float, final: float) -> None:
    schedule = build_schedule(name, total, warmup, final)
    if schedule is None:
        assert (name, warmup) == ("constant", 0)
        return
    factors = [schedule(step) for step in range(total + 5)]
    assert all(0 <= factor <= 1 + 1e-12 for factor in factors)
    assert factors[0] > 0, "a first step at rate 0 would be wasted"


@given(name=NAMES, total=st.integers(10, 400), warmup=st.floats(0.1, 0.9), final=SHARES)
def test_warm_up_rises_to_the_peak_and_then_nothing_does(name: str, total: int, warmup: float, final: float) -> None:
    schedule = build_schedule(name, total, warmup, final)
    assert schedule is not None
    peak = round(total * warmup)
    factors = [schedule(step) for step in range(total)]
    rising = factors[: peak + 1]
    assert all(a < b for a, b in pairwise(rising))
    assert factors[peak] == pytest.approx(1)
    assert all(a >= b for a, b in pairwise(factors[peak:]))


@given(name=st.sampled_from(["cosine", "one-cycle"]), total=st.integers(2, 400), warmup=WARMUPS, final=SHARES)
def test_the_end_is_the_final_share_and_holds(name: str, total: int, warmup: float, final: float) -> None:
    assume(round(total * max(warmup, 0.25)) < total)
    schedule = build_schedule(name, total, warmup, final)
    assert schedule is not None
    assert schedule(total) == pytest.approx(final, abs=1e-12)
    assert schedule(total + 1000) == pytest.approx(final, abs=1e-12)


@given(total=st.integers(2, 400), final=SHARES)
def test_cosine_is_half_a_cosine(total: int, final: float) -> None:
    schedule = build_schedule("cosine", total, 0.0, final)
    assert schedule is not None
    assert schedule(0) == 1
    for step in range(total):
        expected = final + (1 - final) * (1 + math.cos(math.pi * step / total)) / 2
        assert schedule(step) == pytest.approx(expected)


def test_one_cycle_peaks_at_a_quarter_unless_told() -> None:
    schedule = build_schedule("one-cycle", 100, 0.0, 0.0)
    assert schedule is not None
    factors = [schedule(step) for step in range(100)]
    assert factors.index(max(factors)) == 25
    assert factors[0] == pytest.approx(1 / 26)
    assert factors[99] == pytest.approx(1 / 75)
