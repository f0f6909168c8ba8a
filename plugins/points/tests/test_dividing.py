"""Whether lines divide points: against brute force, and with a proof either way."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit_points.dividing import best_line, crossing

CORNERS = np.array([(0, 0), (0, 1), (1, 0), (1, 1)], float)
SMALL = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(0, 1)), min_size=2, max_size=9)


def tried(points: np.ndarray, labels: np.ndarray) -> float:
    """The best share that any line has right, by trying the lines beside every two points, turned and shifted a bit."""
    best = max((labels == 1).mean(), (labels == 0).mean())
    directions = {tuple(b - a) for a, b in product(points, points) if (a != b).any()}
    for dx, dy in directions:
        for turn in (-1e-3, 0.0, 1e-3):
            normal = np.array([-dy, dx]) + turn * np.array([dx, dy])
            heights = points @ normal
            for cut in np.unique(heights):
                for above in (heights > cut, heights >= cut):
                    right = (above == (labels == 1)).mean()
                    best = max(best, right, 1 - right)
    return float(best)


@given(rows=SMALL)
@settings(deadline=None)
def test_best_line_is_the_best_of_all_that_can_be_tried(rows: list[tuple[int, int, int]]) -> None:
    points, labels = np.array([row[:2] for row in rows], float), np.array([row[2] for row in rows])
    if len(set(labels.tolist())) < 2:
        return
    assert best_line(points, labels) == pytest.approx(tried(points, labels))


@given(rows=SMALL)
@settings(deadline=None)
def test_what_a_line_divides_has_no_crossing_and_what_crosses_no_line_divides(rows: list[tuple[int, int, int]]) -> None:
    points, labels = np.array([row[:2] for row in rows], float), np.array([row[2] for row in rows])
    found = crossing(points, labels)
    assert found is not None
    divided = len(set(labels.tolist())) < 2 or tried(points, labels) == 1
    assert (not found) == divided
    if found:
        assert len(found) <= 4
        assert best_line(points[found], labels[found]) < 1  # type: ignore[operator]


@pytest.mark.parametrize(("truth", "divided"), [((0, 0, 0, 1), True), ((0, 1, 1, 1), True), ((0, 1, 1, 0), False)])
def test_the_gates(truth: tuple[int, ...], divided: bool) -> None:
    found = crossing(CORNERS, np.array(truth))
    assert found is not None and (not found) == divided
    assert best_line(CORNERS, np.array(truth)) == (1.0 if divided else 0.75)


def test_three_classes_are_divided_by_the_highest_of_three_planes_or_not() -> None:
    star = np.array([(np.cos(a) * r, np.sin(a) * r) for a in np.arange(3) * 2 * np.pi / 3 for r in (1, 2)])
    assert crossing(star, np.repeat([0, 1, 2], 2)) == []
    row = np.array([(0, 0), (1, 0), (2, 0), (3, 0)], float)
    assert crossing(row, np.array([0, 1, 0, 2]))


def test_many_points_are_no_more_work_than_the_corners_of_their_hulls() -> None:
    """Only the corners of the hulls are looked at; a best line is not looked for among too many."""
    points = np.random.default_rng(0).standard_normal((100_000, 2))
    labels = (points[:, 0] > 0).astype(np.int64)
    assert crossing(points + labels[:, None], labels) == []
    assert crossing(points, (points.sum(1) ** 2 > 1).astype(np.int64))
    assert best_line(points, labels) is None
