"""Many points with a name each are written as their names, where there is room."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dlkit.present.plot import scatter

NAMES = [letter * 4 for letter in "abcdefghijkl"]


def test_names_stand_where_their_points_are():
    lines = scatter(range(12), range(12), NAMES, ("", ""), colour=False, width=90).split("\n")
    for number, name in enumerate(NAMES):
        (row,) = (i for i, line in enumerate(lines) if line.endswith(name) or f"{name} " in line)
        assert row == 11 - number
    columns = [next(line.index(name) for line in lines if name in line) for name in NAMES[:10]]
    assert columns == sorted(columns)


def test_the_first_ones_are_written_and_the_others_dots():
    text = scatter([0.0] * 12 + [1.0], [0.0] * 12 + [1.0], [*NAMES, "far"], ("", ""), colour=False, width=40)
    assert "aaaa" in text and "far" in text and "bbbb" not in text


def test_few_names_are_marks_still():
    assert "* a" in scatter([0, 1, 2], [0, 1, 2], ["a", "b", "a"], ("", ""), colour=False, width=40)


@given(
    st.lists(st.tuples(st.floats(), st.floats()), min_size=9, max_size=40),
    st.integers(20, 100),
    st.integers(0, 30),
)
def test_any_points_fit_into_the_width(points: list[tuple[float, float]], width: int, length: int):
    x, y = np.array(points).T
    names = [f"{i}{'n' * length}" for i in range(len(points))]
    for line in scatter(x.tolist(), y.tolist(), names, ("", ""), colour=False, width=width).split("\n"):
        assert len(line) <= max(width, 40)


def test_points_of_many_kinds_are_written_as_their_kinds() -> None:
    """Ten digits, say: more than there are marks."""
    kinds = [str(i % 10) for i in range(40)]
    text = scatter(range(40), [i % 10 for i in range(40)], kinds, ("", ""), colour=False, width=90)
    assert all(text.count(str(digit)) >= 3 for digit in range(10)), text
