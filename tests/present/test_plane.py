"""A rectangle of the plane: where points and paths land, what colours they have, and how it fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dlkit.present.plane import SIGNS, cells, drawn, fitted, resized
from dlkit.present.plane_pixels import painted
from dlkit.samples import Marks, Plane, load, save

BLUE, RED = (0, 0, 200), (255, 0, 0)
PLACES = st.lists(st.floats(-3, 3), min_size=1, max_size=8)


def plane(*marks: Marks, height: int = 20, width: int = 32) -> Plane:
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2] = BLUE
    return Plane(name="p", image=image, x_range=(-2, 2), y_range=(-1, 1), marks=marks)


def test_each_point_is_a_sign_in_its_colour_on_the_ground_that_it_lies_on() -> None:
    marks = [Marks(x=[-1.99, 1.99], y=[0.99, -0.99], colour=RED, sign=sign) for sign in SIGNS]
    for mark in marks:
        found = cells(plane(mark), 32, 10)
        for line, column, ground in ((0, 0, 200), (9, 31, 0)):
            assert chr(found.signs[line, column]) == SIGNS[mark.sign]
            assert (found.ink[line, column], found.paper[line, column]) == (255 << 16, ground)


def test_of_points_in_one_cell_the_first_are_seen() -> None:
    first, second = Marks(x=[0], y=[0], colour=RED), Marks(x=[0], y=[0], colour=BLUE, sign="ring")
    assert (cells(plane(first, second), 32, 10).signs == ord("●")).any()
    assert not (cells(plane(first, second), 32, 10).signs == ord("○")).any()
    assert tuple(painted(plane(first, second), 320)[100, 160]) == RED


def test_points_at_the_edges_lie_within_and_those_outside_are_left_out() -> None:
    mark = Marks(x=[-2, 2, -2.1, float("nan")], y=[1, -1, 0, 0], colour=RED)
    found = cells(plane(mark), 32, 10)
    assert np.argwhere(found.signs == ord("●")).tolist() == [[0, 0], [9, 31]]


def test_a_path_is_unbroken_dots_on_the_colours_below() -> None:
    path = Marks(x=[-2, 2], y=[-1, 1], colour=RED, joined=True)
    found = cells(plane(path), 32, 10)
    dotted = found.signs > 0x2800
    assert dotted.any(0).all() and dotted.any(1).all()  # from edge to edge
    assert set(found.ink[dotted].tolist()) == {255 << 16} and set(found.paper[dotted].tolist()) <= {0, 200, 100}


def test_a_cell_shows_two_pixels() -> None:
    image = np.zeros((2, 1, 3), np.uint8)
    image[0] = RED
    found = cells(Plane(name="p", image=image, x_range=(0, 1), y_range=(0, 1)), 1, 1)
    assert (chr(found.signs[0, 0]), int(found.ink[0, 0]), int(found.paper[0, 0])) == ("▀", 255 << 16, 0)


@given(x=PLACES, y=PLACES, joined=st.booleans(), room=st.tuples(st.integers(20, 200), st.integers(8, 60)))
def test_it_fits_wherever_its_points_lie(x: list[float], y: list[float], joined: bool, room: tuple[int, int]) -> None:
    count = min(len(x), len(y))
    mark = Marks(x=x[:count], y=y[:count], colour=RED, name="a name " * 20, joined=joined)
    lines = drawn(plane(mark), *room)
    widths = [sum(len(text) for text, _, _ in line) for line in lines]
    assert max(widths) <= room[0] and len(lines) <= room[1]
    assert painted(plane(mark), 40).shape == (25, 40, 3)


def test_its_sides_keep_their_proportions() -> None:
    assert fitted(plane(), 160, 50) == (160, 50)
    assert fitted(plane(), 160, 20) == (64, 20)
    assert fitted(plane(), 64, 100) == (64, 20)
    assert resized(plane().image, 8, 4).shape == (4, 8, 3)


def test_it_is_stored_and_comes_back(tmp_path: Path) -> None:
    sample = plane(Marks(x=[0.5], y=[float("inf")], colour=RED, name="a", sign="cross"))
    found = load(tmp_path / save(sample, tmp_path, "p"))
    assert isinstance(found, Plane)
    assert np.array_equal(found.image, sample.image)
    assert drawn(found, 80, 24) == drawn(sample, 80, 24)


def test_a_picture_for_a_file_has_the_point_where_it_belongs() -> None:
    found = painted(plane(Marks(x=[0], y=[0], colour=RED)), 320)
    assert tuple(found[100, 160]) == RED
    assert tuple(found[10, 10]) == BLUE
