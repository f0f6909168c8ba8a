"""Numbers, sizes, durations and ages as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.present.numbers import ago, ago_holds_until, counted, duration, grouped, number, size, when

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (11_500_000, "11.5 MB"), (2.5e12, "2500.0 GB")]
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (4.04, "4.0 s"), (12.4, "12 s"), (59.6, "1:00"), (125, "2:05"), (3725, "1:02:05")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_counts_and_metrics() -> None:
    assert counted(1, "run") == "1 run" and counted(0, "run") == "0 runs"
    assert grouped(1_234_567) == "1 234 567"
    assert number(0.123456) == "0.1235" and number(None) == ""


@given(st.floats(0.0, 10 * 86400.0), st.floats(0.0, 1.0))
def test_an_age_is_said_until_it_is_another(past: float, share: float) -> None:
    moment = NOW - past
    until = ago_holds_until(moment, NOW)
    assert until > NOW
    if math.isfinite(until):
        # Times of this size are 2.4e-7 s apart: the last one before the change is the nearest that can be asked for.
        before = min(NOW + share * (until - NOW), math.nextafter(until, NOW))
        assert ago(moment, before) == ago(moment, NOW)
        assert ago(moment, until + 0.001) != ago(moment, NOW)


def test_a_day_is_said_for_good() -> None:
    assert ago_holds_until(NOW - 8 * 86400, NOW) == math.inf
    assert ago_holds_until(0.0, NOW) == math.inf


@pytest.mark.parametrize("moment", [1e300, -1e300, float("nan"), float("inf"), 10**40, "now", None, [1.0]])
def test_a_moment_that_no_calendar_has_is_empty(moment: object) -> None:
    assert when(moment, "%Y-%m-%d") == ""
    assert when(0, "%Y") in ("1969", "1970")
