"""Boxes drawn into pictures: of the picture's own size, where the box is, and told apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dlkit.data.drawing import ROLES, caption, draw_boxes
from dlkit.samples import Box


def drawn(*boxes: Box, size: tuple[int, int] = (200, 120)) -> npt.NDArray[np.uint8]:
    picture = draw_boxes(Image.new("L", size), boxes)
    assert picture.size == size and picture.mode == "RGB"
    return np.asarray(picture)


@pytest.mark.parametrize("role", [*ROLES, "strange"])
def test_the_outline_is_where_the_box_is(role: str) -> None:
    pixels = drawn(Box(corners=(20, 30, 80, 90), role=role))
    rows, columns = np.flatnonzero(pixels.any((1, 2))), np.flatnonzero(pixels.any((0, 2)))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (30, 89, 20, 79)
    assert not pixels[33:87, 23:77].any()
    colour, (_, off) = ROLES.get(role, ((255, 255, 255), (1, 0)))
    assert pixels[30, 20].tolist() == list(colour)
    assert pixels[30, 20:80].any(1).all() == (off == 0)


def test_roles_differ_without_colour() -> None:
    shapes = {role: drawn(Box(corners=(20, 30, 80, 90), role=role)).any(2).tobytes() for role in ROLES}
    assert len({shapes["predicted"], shapes["missed"], shapes["false"]}) == 3


def test_labels_avoid_each_other_and_stay_inside() -> None:
    """Two boxes in one place: both labels can be read."""
    boxes = [Box(corners=(50, 40, 120, 80), label="cat", score=0.91), Box(corners=(50, 40, 120, 80), label="dog")]
    one, both = drawn(boxes[0]), drawn(*boxes)
    assert np.array_equal(one[one.any(2)], both[one.any(2)])
    assert both.any(2).sum() > one.any(2).sum() + 100
    corner = drawn(Box(corners=(180, 100, 220, 140), label="cat", score=0.5))
    assert corner.any()


def test_writing_grows_with_the_picture_and_gives_way_in_a_small_one() -> None:
    box = Box(corners=(0.2, 0.4, 0.7, 0.9), label="bicycle", score=0.5)

    def share(side: int) -> float:
        scaled = tuple(side * value for value in box.corners)
        with_label = drawn(Box(corners=scaled, label=box.label, score=0.5), size=(side, side))  # type: ignore[arg-type]
        return float((with_label.any(2) & ~drawn(Box(corners=scaled), size=(side, side)).any(2)).mean())  # type: ignore[arg-type]

    assert 0.005 < share(1600) < 0.05 and 0.005 < share(300) < 0.05
    assert share(20) == 0  # no word fits: the outline alone
    assert caption(box) == "bicycle  50%" and caption(Box(corners=(0, 0, 1, 1))) == ""


COORDINATE = st.floats(-50, 300)


@settings(max_examples=60)
@given(
    corners=st.tuples(COORDINATE, COORDINATE, COORDINATE, COORDINATE),
    role=st.sampled_from([*ROLES]),
    size=st.tuples(st.integers(1, 250), st.integers(1, 250)),
)
def test_any_box_can_be_drawn(corners: tuple[float, float, float, float], role: str, size: tuple[int, int]) -> None:
    x1, y1, x2, y2 = corners
    ordered = min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
    drawn(Box(corners=ordered, label="a\nb", score=1.0, role=role), size=size)
