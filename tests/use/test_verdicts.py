"""When two answers are the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dlkit.answering import Answering, alike, in_short
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


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.5, 0.5),
        ("cat", "cat"),
        ([["cat", 0.91234], ["dog", 0.08]], "cat 0.9123, dog 0.08"),
        ([1, 2.50001], "1, 2.5"),
        ([[0.25, 1.0], [2, 3]], "(0.25, 1), (2, 3)"),
        ([{"box": [1, 2], "name": "cat"}], "(box (1, 2), name cat)"),
        ({"a": 1, "b": "x"}, "a 1, b x"),
        ([], ""),
        (None, ""),
        (True, True),
    ],
)
def test_values_of_an_answer_are_told_in_short(value: object, told: object) -> None:
    assert in_short(value) == told


class Drawing(Answering):
    draws = True

    def read(self, words):
        return list(words)

    def predict(self, inputs):
        return [{} for _ in inputs]

    def draw(self, value, answer):
        return Image.new("L", (2, 2))

    def files(self, value, answer):
        return {".code": b"12"}


def test_an_answer_is_written_as_a_picture_and_what_belongs_to_it(tmp_path: Path) -> None:
    asked = Drawing({}, lambda graph, **inputs: {})
    found = asked.drawn("photos/a.jpg", {}, f"{tmp_path}/new/1-")
    picture, code = tmp_path / "new" / "1-a.png", tmp_path / "new" / "1-a.code"
    assert found == {"picture": str(picture), "code": str(code)}
    with Image.open(picture) as image:
        assert image.size == (2, 2)
    assert code.read_bytes() == b"12"
