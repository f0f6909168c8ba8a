"""Invalid boxes are reported, clipped or dropped; boxes follow their image into a letter-box and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from dlkit.data.annotations.record import Annotation
from dlkit.data.boxes import check_boxes, class_names
from dlkit.data.images import fitted
from dlkit.data.letterbox import Letterbox, clip
from dlkit.errors import NAMED, DataError


def annotation(*boxes: tuple[float, float, float, float], names: tuple[str, ...] = ()) -> Annotation:
    """On an image of 40×30."""
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    return Annotation(Path("x/1.png"), Path("x/1.xml"), 40, 30, corners, names or ("cat",) * len(boxes))


SOUND = (3.0, 4.0, 13.0, 24.0)
INVALID = {
    (-5.0, 4.0, 13.0, 24.0): ("is outside the image of 40×30", [0, 4, 13, 24]),
    (30.0, 20.0, 44.0, 36.0): ("is outside the image of 40×30", [30, 20, 40, 30]),
    (50.0, 4.0, 60.0, 24.0): ("is outside the image of 40×30", None),
    (3.0, 4.0, 3.0, 24.0): ("is less than a pixel wide or high", None),
    (13.0, 4.0, 3.0, 24.0): ("is inverted", None),
    (3.0, 24.0, 13.0, 4.0): ("is inverted", None),
}


@pytest.mark.parametrize(("box", "expected"), INVALID.items())
def test_an_invalid_box_is_refused_clipped_or_dropped(
    box: tuple[float, float, float, float], expected: tuple[str, list[int] | None]
) -> None:
    said, left = expected
    with pytest.raises(DataError) as refused:
        check_boxes([annotation(SOUND), annotation(SOUND, box)])
    assert "1 invalid boxes:" in str(refused.value)
    assert f"x/1.xml: box 2 (cat) on 1.png: ({box[0]:g}, {box[1]:g})" in str(refused.value)
    assert said in str(refused.value)
    assert str(refused.value).endswith("dataset.invalid = clip cuts them off at the image's edge, drop leaves them out")
    dropped = check_boxes([annotation(SOUND, box)], policy="drop")
    assert dropped.annotations[0].boxes.tolist() == [list(SOUND)] and dropped.annotations[0].names == ("cat",)
    clipped = check_boxes([annotation(SOUND, box)], policy="clip")
    assert clipped.annotations[0].boxes.tolist() == [list(SOUND), *([left] if left else [])]
    (note,) = clipped.notes()
    assert note.startswith("1 invalid boxes clipped" if left else "1 invalid boxes left out")


def test_a_pixel_beyond_the_edge_is_a_rounding_and_no_fault() -> None:
    checked = check_boxes([annotation((-1, 0, 41, 30.5))])
    assert checked.annotations[0].boxes.tolist() == [[0, 0, 40, 30]] and checked.notes() == []


def test_a_group_that_is_not_sound_is_left_out_and_stops_nothing() -> None:
    boxes = (SOUND, (30.0, 20.0, 44.0, 36.0), (50.0, 4.0, 60.0, 24.0), SOUND)
    found = annotation(*boxes, names=("cat", "cat", "cat", "bird"))
    marked = replace(found, marks=("", "crowd", "crowd", "crowd"))
    (checked,) = check_boxes([marked], classes=["cat"]).annotations
    assert checked.boxes.tolist() == [list(SOUND), [30, 20, 40, 30]] and checked.marks == ("", "crowd")
    assert class_names([marked]) == ["cat"]


def test_unknown_classes_are_refused_or_dropped() -> None:
    some = [annotation(SOUND, SOUND, names=("cat", "cow"))]
    with pytest.raises(DataError, match=r"(?s)1 boxes of an unknown class \(known: cat, dog\).*unknown class 'cow'"):
        check_boxes(some, classes=["cat", "dog"])
    checked = check_boxes(some, classes=["cat", "dog"], unknown="drop")
    assert checked.annotations[0].names == ("cat",) and "1 boxes of an unknown class" in checked.notes()[0]
    assert class_names(some) == ["cat", "cow"]


def test_many_problems_are_counted_and_some_named() -> None:
    with pytest.raises(DataError) as refused:
        check_boxes([annotation((5, 5, 5, 9)) for _ in range(NAMED + 3)])
    assert str(refused.value).startswith(f"{NAMED + 3} invalid boxes") and "and 3 more\ndataset.invalid" in str(
        refused.value
    )


@given(box=st.tuples(*[st.floats(-100, 100, width=32)] * 4), policy=st.sampled_from(["clip", "drop"]))
def test_what_is_left_is_always_sound(box: tuple[float, float, float, float], policy: Any) -> None:
    left = check_boxes([annotation(box)], policy=policy).annotations[0].boxes
    assert ((left[:, 2:] - left[:, :2]) >= 1).all() or (np.abs(left - np.array(box)) <= 1).all()
    assert (left >= 0).all() and (left <= np.array([40, 30, 40, 30])).all()


SIDES = st.integers(4, 300)


@given(size=st.tuples(SIDES, SIDES), into=st.tuples(SIDES, SIDES))
def test_a_letterbox_is_the_one_that_images_get(size: tuple[int, int], into: tuple[int, int]) -> None:
    """White images show by themselves where they lie."""
    pixels = fitted(Image.new("L", size, 255), into[1], into[0], "letterbox")[0]
    assume(pixels.any())  # of an image so narrow that it rounds to nothing, Pillow keeps nothing and we a pixel
    letterbox = Letterbox(size, into)
    np.testing.assert_array_equal(letterbox.place(Image.new("L", size, 255))[0], pixels)
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    whole = letterbox.forth(np.array([[0, 0, *size]], np.float32))[0]
    assert whole.tolist() == [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


@given(size=st.tuples(SIDES, SIDES), into=st.tuples(SIDES, SIDES), data=st.data())
def test_boxes_come_back_from_a_letterbox(size: tuple[int, int], into: tuple[int, int], data: st.DataObject) -> None:
    share = st.floats(0, 1)
    corners = np.sort(np.array(data.draw(st.lists(st.tuples(share, share), min_size=2, max_size=2))), axis=0)
    boxes = (corners * size).reshape(1, 4)
    letterbox = Letterbox(size, into)
    np.testing.assert_allclose(letterbox.back(letterbox.forth(boxes)), boxes, atol=1e-3 * max(size))


def test_a_picture_and_its_box_go_together() -> None:
    pixels = np.zeros((60, 90, 3), np.uint8)
    pixels[10:30, 20:60] = 255
    letterbox = Letterbox((90, 60), (48, 48))
    x1, y1, x2, y2 = letterbox.forth(np.array([[20, 10, 60, 30]]))[0]
    placed = letterbox.place(Image.fromarray(pixels))
    rows, columns = np.flatnonzero((placed[0] > 127).any(1)), np.flatnonzero((placed[0] > 127).any(0))
    assert abs(rows[0] - y1) <= 1 and abs(rows[-1] + 1 - y2) <= 1
    assert abs(columns[0] - x1) <= 1 and abs(columns[-1] + 1 - x2) <= 1
    reduced = letterbox.place(Image.fromarray(pixels).reduce(2))  # as JPEGs may be decoded
    assert np.abs(reduced.astype(int) - placed).mean() < 6
    assert clip(np.array([[-5, 3, 100, 70]]), 90, 60).tolist() == [[0, 3, 90, 60]]
