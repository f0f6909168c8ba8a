"""Shares of a run's time, in words and as one bar."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dlkit.events import Spent
from dlkit.present.spending import MOST, in_words, shares, widths

seconds = st.dictionaries(st.text(max_size=30), st.floats(0, 1e15), max_size=2 * MOST)


def spent(**of_kinds: float) -> Spent:
    return Spent(step=1, seconds=of_kinds, cpu_seconds=1.0)


def test_words() -> None:
    assert in_words(spent(steps=71, loading=20, evaluation=6, checkpoints=3)) == (
        "steps 71 % · loading 20 % · evaluation 6 % · checkpoints 3 %"
    )
    assert in_words(spent(steps=999, loading=1, other=0)) == "steps 100 %", "what is nothing in whole per cent is not"
    assert in_words(spent(steps=3, loading=1, paused=120)) == "steps 75 % · loading 25 %; paused for 2:00 besides"
    assert in_words(spent()) == ""


def test_what_somebody_elses_log_says_is_one_line() -> None:
    assert in_words(spent(**{"a\x1b[2J\nb" * 9: 1.0})).isprintable()


@given(seconds, st.integers(MOST, 200))
def test_a_bar_is_as_wide_as_it_should_be(seconds: dict[str, float], width: int) -> None:
    found = shares(seconds)
    assert sum(share.share for share in found) <= 1.000001
    assert len({share.mark for share in found}) == len(found) <= MOST
    cells = widths(found, width)
    assert sum(cells) == (width if found else 0)
    assert all(count >= 1 for count in cells)
