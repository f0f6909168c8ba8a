"""Digits on canvases: the same bits always, boxes that hold their digit tightly, and what the options promise."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.data.canvases import THRESHOLD, Canvases, CanvasOptions, draw_canvases, enlarged, largest
from dlkit.errors import UsageError

PLAIN = CanvasOptions(noise=0.0)
SEVERAL = CanvasOptions(fewest=1, most=4, scale=(0.6, 1.0), empty=0.1, noise=0.0)


def blobs(count: int = 30, side: int = 28) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Bright blots of various sizes and places, as digits; each has a brightness of its own, 10 × label + 100."""
    images, labels = np.zeros((count, side, side), np.uint8), np.arange(count) % 10
    generator = np.random.default_rng(0)
    for image, label in zip(images, labels, strict=True):
        top, left = generator.integers(4, side // 2, 2)
        height, width = generator.integers(side // 4, side // 2, 2)
        image[top : top + height, left : left + width] = 100 + 10 * label
    return images, labels.astype(np.int64)


DIGITS, LABELS = blobs()


def draw(count: int, seed: int, options: CanvasOptions) -> Canvases:
    return draw_canvases(DIGITS, LABELS, count, seed, options)


def bounds(image: npt.NDArray[np.uint8]) -> list[int]:
    rows, columns = np.nonzero(image > THRESHOLD)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def digest(canvases: Canvases) -> str:
    content = hashlib.sha256()
    for array in (canvases.images, canvases.boxes, canvases.labels):
        content.update(np.ascontiguousarray(array).data)
    return content.hexdigest()


options = st.builds(
    CanvasOptions,
    height=st.integers(49, 70),  # the largest digit that these options make needs 49 × 49: what is smaller is refused
    width=st.integers(49, 70),
    fewest=st.integers(1, 2),
    most=st.integers(2, 4),
    scale=st.tuples(st.floats(0.4, 0.8), st.floats(0.8, 1.3)),
    angle=st.floats(0, 20),
    empty=st.floats(0, 1),
    noise=st.sampled_from([0.0, 0.2, 1.0]),
    max_iou=st.floats(0, 0.5),
)


@settings(max_examples=25, deadline=None)
@given(options, st.integers(0, 2**40))
def test_boxes_lie_inside_with_labels_where_there_is_a_digit(chosen: CanvasOptions, seed: int) -> None:
    canvases = draw(20, seed, chosen)
    assert canvases.images.shape == (20, chosen.height, chosen.width) and canvases.images.dtype == np.uint8
    assert canvases.boxes.shape == (20, chosen.most, 4) and canvases.boxes.dtype == np.float32
    there = canvases.labels >= 0
    x1, y1, x2, y2 = np.moveaxis(canvases.boxes, 2, 0)
    assert (canvases.boxes[~there] == 0).all()
    assert (x1 >= 0).all() and (y1 >= 0).all() and (x2 <= chosen.width).all() and (y2 <= chosen.height).all()
    assert ((x2 > x1) & (y2 > y1))[there].all()
    assert (np.diff(there.astype(int), axis=1) <= 0).all()  # digits first, padding after
    assert set(canvases.labels[there]) <= set(range(10))


@settings(max_examples=25, deadline=None)
@given(options, st.integers(0, 2**40))
def test_overlap_is_bounded(chosen: CanvasOptions, seed: int) -> None:
    canvases = draw(20, seed, chosen)
    for boxes in canvases.boxes:
        for i in range(chosen.most):
            for j in range(i):
                a, b = boxes[i], boxes[j]
                size = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
                union = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - np.prod(size)
                assert np.prod(size) <= chosen.max_iou * union + 1e-6


@settings(max_examples=15, deadline=None)
@given(options, st.integers(0, 2**40), st.integers(0, 300))
def test_a_canvas_does_not_depend_on_how_many_are_drawn(chosen: CanvasOptions, seed: int, count: int) -> None:
    few, many = draw(5, seed, chosen), draw(5 + count, seed, chosen)
    for name in ("images", "boxes", "labels"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:5])


def test_the_bits_are_the_same_everywhere() -> None:
    """Whoever changes these changes everybody's data and every figure measured on it."""
    assert digest(draw(300, 7, CanvasOptions())) == "b6be24841ae403e7720b97cd95a2b4fb1bda6e1ac7667d35ba33748f95e8e4df"
    assert (
        digest(draw(300, 7, replace(SEVERAL, noise=0.2)))
        == "79c65492fdbff982092a734512028a09ad32f5d94a0eb36b9e917367ec850df4"
    )
    assert digest(draw(300, 8, CanvasOptions())) != digest(draw(300, 7, CanvasOptions()))


def test_boxes_are_tight_around_what_is_bright() -> None:
    canvases = draw(400, 1, PLAIN)
    for image, (box,), (label,) in zip(canvases.images, canvases.boxes, canvases.labels, strict=True):
        if label < 0:
            assert not image.any()
        else:
            assert bounds(image) == box.tolist()


def test_labels_are_those_of_the_digits_pasted() -> None:
    """A blob's brightness says its label, on the brightest pixel of its box."""
    canvases = draw(400, 1, replace(SEVERAL, max_iou=0.0))
    for image, boxes, labels in zip(canvases.images, canvases.boxes, canvases.labels, strict=True):
        for (x1, y1, x2, y2), label in zip(boxes.astype(int), labels, strict=True):
            if label >= 0:
                middle = image[(y1 + y2) // 2, (x1 + x2) // 2]
                assert middle == 100 + 10 * label


def test_shares_of_empty_canvases_and_numbers_of_digits() -> None:
    numbers = (draw(4000, 3, SEVERAL).labels >= 0).sum(1)
    assert (numbers == 0).mean() == pytest.approx(0.1, abs=0.015)
    wanted = np.bincount(numbers, minlength=5)[1:] / (numbers > 0).sum()
    assert wanted == pytest.approx([0.25] * 4, abs=0.04)  # some canvases have no room for a fourth
    assert (draw(500, 3, replace(PLAIN, empty=0.0)).labels >= 0).all()
    assert not draw(500, 3, replace(PLAIN, empty=1.0)).images.any()


def test_digits_take_turns() -> None:
    labels = draw(30, 5, replace(PLAIN, empty=0.0)).labels[:, 0]
    assert np.bincount(labels).tolist() == [3] * 10
    assert labels.tolist() != sorted(labels.tolist())


def test_places_sizes_and_turns_reach_their_limits() -> None:
    square = np.zeros((1, 28, 28), np.uint8)
    square[:, 4:24, 4:24] = 255
    canvases = draw_canvases(square, np.zeros(1, np.int64), 3000, 0, replace(PLAIN, empty=0.0))
    boxes = canvases.boxes[:, 0]
    assert boxes[:, :2].min(0).tolist() == [0, 0] and boxes[:, 2:].max(0).tolist() == [60, 48]
    sides = boxes[:, 2:] - boxes[:, :2]
    assert sides.min() == pytest.approx(20 * 0.7, abs=1.5)
    turned = 1.3 * 20 * (np.cos(np.deg2rad(15)) + np.sin(np.deg2rad(15)))
    assert sides.max() == pytest.approx(turned, abs=1.5)
    straight = draw_canvases(square, np.zeros(1, np.int64), 50, 0, replace(PLAIN, empty=0.0, angle=0.0, scale=(1, 1)))
    for image, (x1, y1, x2, y2) in zip(straight.images, straight.boxes[:, 0].astype(int), strict=True):
        assert (x2 - x1, y2 - y1) == (20, 20) and (image[y1:y2, x1:x2] == 255).all() and image.sum() == 400 * 255


def test_noise_is_gaussian_and_clipped() -> None:
    grey = np.full((1, 40, 40), 128, np.uint8)
    one = CanvasOptions(height=42, width=42, scale=(1, 1), angle=0, empty=0, noise=0.1)
    canvases = draw_canvases(grey, np.zeros(1, np.int64), 200, 0, one)
    x1, y1, x2, y2 = canvases.boxes[0, 0].astype(int)
    inside = canvases.images[0, y1 + 1 : y2 - 1, x1 + 1 : x2 - 1].astype(float)
    assert inside.mean() == pytest.approx(128, abs=2) and inside.std() == pytest.approx(25.5, rel=0.05)
    blank = draw_canvases(grey, np.zeros(1, np.int64), 100, 0, replace(one, empty=1.0, noise=0.2)).images.astype(float)
    assert (blank == 0).mean() == pytest.approx(0.5, abs=0.02)
    assert (blank > 51).mean() == pytest.approx(0.1587, abs=0.005)  # beyond one σ
    a, b = blank[:, ::2].ravel(), blank[:, 1::2].ravel()
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.01


def test_a_canvas_too_full_has_fewer_digits() -> None:
    crowded = replace(SEVERAL, fewest=40, most=40, max_iou=0.0, empty=0.0)
    canvases = draw(50, 0, crowded)
    numbers = (canvases.labels >= 0).sum(1)
    assert numbers.min() >= 3 and numbers.max() < 40


def test_a_digit_that_vanishes_is_none() -> None:
    dim = np.full((1, 28, 28), THRESHOLD, np.uint8)
    canvases = draw_canvases(dim, np.zeros(1, np.int64), 20, 0, PLAIN)
    assert (canvases.labels == -1).all() and not canvases.boxes.any() and not canvases.images.any()


def test_none_are_no_canvases() -> None:
    assert draw(0, 0, SEVERAL).images.shape == (0, 48, 60)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"height": 44}, r"44 × 60 pixels is too small: a digit resized by 1\.3 and turned by 15\.0° needs 47 × 47"),
        ({"scale": (1.2, 0.8)}, "scale"),
        ({"scale": (0.0, 1.0)}, "scale"),
        ({"angle": 50.0}, "angle"),
        ({"empty": 1.5}, "empty"),
        ({"noise": -0.1}, "noise"),
        ({"fewest": 3, "most": 2}, "fewest"),
        ({"fewest": 0}, "fewest"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        draw(1, 0, replace(PLAIN, **changed))


def test_digits_of_another_form_are_refused() -> None:
    for digits in (DIGITS.astype(float), DIGITS[0], DIGITS[:0]):
        with pytest.raises(ValueError, match="digits must be uint8"):
            draw_canvases(digits, LABELS, 1, 0, PLAIN)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.1, 4), st.floats(0, 45))
def test_the_largest_digit_fits_where_it_is_said_to(height: int, width: int, high: float, angle: float) -> None:
    chosen = CanvasOptions(scale=(high, high), angle=angle, empty=0.0, noise=0.0)
    room = largest(height, width, chosen)
    chosen = replace(chosen, height=room[0], width=room[1])
    digits = np.full((1, height, width), 255, np.uint8)
    canvases = draw_canvases(digits, np.zeros(1, np.int64), 20, 0, chosen)
    assert canvases.images.shape[1:] == room
    with pytest.raises(UsageError, match="too small"):
        draw_canvases(digits, np.zeros(1, np.int64), 1, 0, replace(chosen, height=room[0] - 1))


def test_enlarging_interpolates_between_pixel_centres() -> None:
    ramp = np.tile(np.arange(0, 160, 20, dtype=np.uint8), (1, 8, 1))
    large = enlarged(ramp)
    assert large.shape == (1, 28, 28)
    inner = large[0, 4:24, 4:24].astype(float)
    assert large.sum() == inner.sum()
    expected = np.clip((np.arange(20) + 0.5) * 8 / 20 - 0.5, 0, 7) * 20
    assert np.abs(inner - expected).max() <= 1
    np.testing.assert_array_equal(enlarged(ramp.transpose(0, 2, 1)), large.transpose(0, 2, 1))
    np.testing.assert_array_equal(enlarged(ramp, side=8, border=0), ramp)
