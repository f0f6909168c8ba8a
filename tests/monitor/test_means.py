"""Courses of several runs as one."""

from __future__ import annotations

from statistics import mean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.monitor.means import BUT_SEED, Together, together
from dlkit.runs.courses import MOST, mean_course

SETTINGS: dict[str, list[object]] = {
    "engine.seed": [0, 1, 0, 1], "trainer.lr": [0.1, 0.1, 0.2, 0.2], "model.name": ["mlp", "mlp", "cnn", None],
}  # fmt: skip


def test_runs_of_a_value_are_together() -> None:
    assert together(SETTINGS, 4, "trainer.lr") == [Together("lr 0.1", (0, 1)), Together("lr 0.2", (2, 3))]
    assert together(SETTINGS, 4, BUT_SEED) == [
        Together("lr 0.1, model mlp", (0, 1)), Together("lr 0.2, model cnn", (2,)), Together("lr 0.2, model -", (3,)),
    ]  # fmt: skip
    assert together({}, 2, "gone") == [Together("all", (0, 1))]


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4), min_size=1, max_size=6))
def test_of_equal_steps_it_is_the_mean_and_the_deviation_of_a_sample(rows: list[list[float]]) -> None:
    x = np.array([1, 2, 5, 9])
    found = mean_course([(x, np.array(row)) for row in rows])
    assert found.x.tolist() == x.tolist()
    for i in range(4):
        column = [row[i] for row in rows]
        assert found.mean[i] == pytest.approx(mean(column), abs=1e-6)
        if len(rows) > 1:
            assert found.high[i] - found.mean[i] == pytest.approx(stdev(column), abs=1e-5)
            assert found.mean[i] - found.low[i] == pytest.approx(stdev(column), abs=1e-5)
        else:
            assert np.isnan([found.low[i], found.high[i]]).all(), "one run tells no spread"


def test_courses_of_other_steps_and_lengths() -> None:
    found = mean_course([(np.array([0, 10]), np.array([0.0, 10.0])), (np.array([5, 20]), np.array([7.0, 7.0]))])
    assert found.x.tolist() == [0, 5, 10, 20] and found.mean.tolist() == [0.0, 6.0, 8.5, 7.0]
    assert np.isnan(found.low[[0, 3]]).all() and np.isfinite(found.low[[1, 2]]).all()
    odd = mean_course([(np.array([1, 2, 3]), np.array([1.0, np.nan, 3.0])), (np.array([]), np.array([]))])
    assert odd.mean.tolist() == [1.0, 3.0], "what is no number counts for nothing"
    assert len(mean_course([]).x) == 0


def test_long_courses_have_as_many_points_as_a_line_needs() -> None:
    found = mean_course([(np.arange(100_000), np.arange(100_000) * 1.0)] * 2)
    assert len(found.x) == MOST and found.x[0] == 0 and found.x[-1] == 99_999
