"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.durations import seconds

UNITS = {"d": 86400, "h": 3600, "m": 60, "min": 60, "s": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", 90),
        ("0.5", 0.5),
        ("1e3", 1000),
        ("9m", 540),
        ("9 min", 540),
        ("1h30m", 5400),
        (" 1.5 h ", 5400),
        ("2d", 172800),
    ],
)
def test_what_people_write(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "h", "9 minutes", "m9", "-9m", "1h30", "1:30", "9m!", "٣m"])
def test_what_is_none_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: seconds, or as 90s, 9m, 1h30m, 2d"):
        seconds(text)


@given(st.lists(st.tuples(st.integers(0, 999), st.sampled_from(sorted(UNITS))), min_size=1))
def test_parts_add_up(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{count}{unit}" for count, unit in parts)
    assert seconds(text) == sum(count * UNITS[unit] for count, unit in parts)
