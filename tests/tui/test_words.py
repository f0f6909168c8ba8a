"""What lists say of a run."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from dlkit.tui.words import ago, ago_holds

NOW = 1_800_000_000.0


@given(st.floats(0.0, 10 * 86400.0), st.floats(0.0, 1.0))
def test_an_age_is_said_until_it_is_another(past: float, share: float) -> None:
    moment = NOW - past
    until = ago_holds(moment, NOW)
    assert until > NOW
    if math.isfinite(until):
        assert ago(moment, NOW + share * (until - NOW) * 0.999) == ago(moment, NOW)
        assert ago(moment, until + 0.001) != ago(moment, NOW)


def test_a_day_is_said_for_good() -> None:
    assert ago_holds(NOW - 8 * 86400, NOW) == math.inf
    assert ago_holds(0.0, NOW) == math.inf
