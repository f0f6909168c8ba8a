"""Samples looked at another way."""

from __future__ import annotations

import numpy as np

from dlkit.monitor.sample_looks import ACROSS, LARGE, ROLES, of_roles, one_image, side_by_side, steps_of
from dlkit.samples import Box, Boxes, Images, Plane, Sample, Text


def images(value: int, count: int = 3, side: int = 4) -> Images:
    return Images(name="i", title="Digits", images=np.full((count, side, side), value, np.uint8))


def test_images_are_a_row_a_step() -> None:
    (grid,) = side_by_side([(0, images(1)), (1200, images(2, count=2))])
    assert isinstance(grid, Images)
    assert grid.images[:, 0, 0].tolist() == [1, 1, 2, 2] and grid.columns == 2
    assert grid.captions == ["step 0", "", "step 1 200", ""]
    grid.check()
    (many,) = side_by_side([(0, images(1, count=40))])
    assert isinstance(many, Images) and many.columns == ACROSS == len(many.images)
    (single,) = side_by_side([(step, images(step, count=1)) for step in range(5)])
    assert isinstance(single, Images) and single.columns == ACROSS and "one a step" in single.title


def test_pictures_are_thumbnails_and_the_rest_one_below_the_other() -> None:
    box = Box(corners=(1, 1, 5, 5), label="x" * 50, role="true")
    seen: list[Sample] = [
        Boxes(name="b", image=np.zeros((8, 8), np.uint8), boxes=[box]),
        Plane(name="p", image=np.zeros((8, 8, 3), np.uint8), x_range=(0, 1), y_range=(0, 1)),
    ]
    for sample in seen:
        (grid,) = side_by_side([(0, sample), (5, sample)])
        assert isinstance(grid, Images) and grid.captions == ["step 0", "step 5"]
    text = Text(name="t", title="said", text="a")
    assert [s.title for s in side_by_side([(0, text), (5, text)])] == ["step 0 · said", "step 5 · said"]
    assert len(side_by_side([(0, images(1)), (1, images(2, side=5))])) == 2, "of several shapes there is no grid"


def test_rows_are_as_many_as_can_be_seen() -> None:
    assert steps_of("images", 20) == 3 and steps_of("images", 500) == 8
    assert steps_of("text", 5) == 6 and steps_of("boxes", 30) == 15


def test_one_image_is_itself_only_larger() -> None:
    pixels = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    one = one_image(Images(name="i", images=pixels, captions=["a", "b"], good=[True, False]), 1)
    one.check()
    assert (list(one.captions), list(one.good)) == (["b"], [False]) and "image 2 of 2" in one.title
    times = one.images.shape[1] // 3
    assert LARGE // 2 < max(one.images.shape[1:]) <= LARGE
    assert (one.images[0, ::times, ::times] == pixels[1]).all()


def test_boxes_of_some_roles() -> None:
    boxes = [Box(corners=(0, 0, 1, 1), role=role) for role in ("true", "missed", "false", "missed")]
    sample = Boxes(name="b", image=np.zeros((4, 4), np.uint8), boxes=boxes)
    assert [len(of_roles(sample, way).boxes) for way in ROLES] == [4, 3, 2, 1]
    assert of_roles(sample, "missed").title == "b · missed: 2 of 4 boxes"
