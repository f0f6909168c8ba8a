"""Durations as people write them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.durations import at, moment, seconds

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


NOW = time.mktime((2026, 12, 1, 17, 0, 0, 0, 0, -1))


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("18:30", NOW + 5400),
        ("17:00", NOW + 86400),
        ("6:05", NOW + 47100),
        ("+2h", NOW + 7200),
        ("+90", NOW + 90),
        ("2026-12-02T06:00", NOW + 46800),
        ("2026-12-02 06:00", NOW + 46800),
    ],
)
def test_moments(text: str, when: float) -> None:
    assert at(text, NOW) == when


def test_a_moment_of_another_zone() -> None:
    assert at("2030-01-01T00:00+00:00", NOW) == 1893456000.0


@pytest.mark.parametrize("text", ["", "25:00", "18:60", "soon", "+soon", "+1e99", "-2h", "nan", "2026-13-01"])
def test_no_moments(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time: 18:30"):
        at(text, NOW)


def test_a_moment_that_is_past() -> None:
    with pytest.raises(ValueError, match="is past"):
        at("2026-11-30T06:00", NOW)


def test_moments_in_words() -> None:
    assert moment(NOW + 5400, NOW) == "18:30"
    assert moment(NOW + 46800, NOW) == "2026-12-02 06:00"
