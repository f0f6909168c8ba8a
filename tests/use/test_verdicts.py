"""When two answers are the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.answering import alike
from dlkit.use.export.proof import difference
from dlkit.use.export.verdicts import Proof

ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(-1e6, 1e6) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(ANSWERS)
def test_an_answer_is_like_itself(answer):
    assert alike(answer, answer)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (0.5, 0.50005, True),
        (0.5, 0.5123, False),
        (1000.0, 1000.05, True),
        ({"box": [12.34]}, {"box": [12.35]}, True),  # both rounded to hundredths
        ({"box": [12.34]}, {"box": [12.36]}, False),
        ({"class": "cat"}, {"class": "dog"}, False),
        ([1, 2], [1, 2, 3], False),
        ({"a": 1}, {"b": 1}, False),
        (None, 0.0, False),
        (3, 4, False),
    ],
)
def test_floats_may_differ_by_little_and_nothing_else_at_all(one, other, same):
    assert alike(one, other) is same and alike(other, one) is same


def test_differences_of_arrays():
    wanted = np.array([1.0, -np.inf, np.nan, 200.0], np.float32)
    assert difference(wanted.copy(), wanted) == 0
    assert difference(wanted + np.float32(0.02), wanted) == pytest.approx(1e-4, rel=0.01)  # of 200
    assert difference(wanted.astype(np.float64), wanted) == np.inf
    assert difference(wanted[:3], wanted) == np.inf
    assert difference(np.array([1, 2]), np.array([1, 3])) == np.inf


def test_one_failed_row_fails_the_proof():
    proof = Proof()
    proof.add("told", "1 ms")
    assert proof.passed
    proof.add("compared", "3", "0", False)
    assert not proof.passed and "NOT EQUAL" in proof.markdown()
