"""Digits to paste: disjoint parts, always the same ones, and which source ``auto`` stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dlkit.data import digits
from dlkit.data.canvases import CanvasOptions
from dlkit.data.context import Context
from dlkit.data.digits import Digits, digit_parts, draw_parts, note_of, resolve_source
from dlkit.data.known import MNIST
from dlkit.errors import DataError
from mnist_files import write_mnist

Small = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def noise() -> Small:
    """600 images 8 × 8, no two alike."""
    pixels = np.random.default_rng(0).integers(0, 256, (600, 8, 8), dtype=np.uint8)
    return pixels, (np.arange(600) % 10).astype(np.int64)


def grey() -> Small:
    """60 images of one value each, which is their label too."""
    return np.repeat(np.arange(60, dtype=np.uint8), 64).reshape(60, 8, 8), np.arange(60)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Small]], None]:
    """``small(noise)``: these are the embedded digits."""
    return lambda made: monkeypatch.setattr(digits, "small_digits", made)


def test_parts_share_no_digit_and_leave_none_out(tmp_path: Path, small: Callable[..., None]) -> None:
    small(noise)
    parts = digit_parts("digits", Context(tmp_path))
    assert {name: len(part) for name, part in parts.items()} == {"train": 450, "val": 50, "test": 100}
    seen = [image.tobytes() for part in parts.values() for image in part.images]
    assert len(set(seen)) == 600
    again = digit_parts("digits", Context(tmp_path))
    for name, part in parts.items():
        np.testing.assert_array_equal(part.images, again[name].images)
        np.testing.assert_array_equal(part.labels, again[name].labels)
        assert part.images.shape[1:] == (28, 28)


def test_labels_stay_with_their_images(tmp_path: Path, small: Callable[..., None]) -> None:
    small(grey)
    parts = digit_parts("digits", Context(tmp_path))
    for part in parts.values():
        assert part.images[:, 14, 14].tolist() == part.labels.tolist()


def test_the_embedded_digits() -> None:
    images, labels = digits.small_digits()
    assert (images.shape, images.dtype, images.max()) == ((1797, 8, 8), np.uint8, 255)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_fewer_classes() -> None:
    zeros = Digits(np.zeros((20, 28, 28), np.uint8), np.arange(20) % 10)
    assert zeros.below(2).labels.tolist() == [0, 1, 0, 1]


def test_auto_is_mnist_where_that_is_laid_out(tmp_path: Path) -> None:
    context = Context(tmp_path, {"mnist": MNIST}, offline=True)
    assert resolve_source("auto", context) == "digits"
    assert resolve_source("mnist", context) == "mnist"
    for part, count in (("train", 60_000), ("t10k", 10_000)):
        write_mnist(tmp_path / "mnist", part, images=count, label=count % 256)
        labels = tmp_path / "mnist" / f"{part}-labels-idx1-ubyte"
        labels.write_bytes(labels.read_bytes()[:8] + bytes(count))
    assert resolve_source("auto", context) == "mnist"
    assert resolve_source("digits", context) == "digits"


def test_mnist_that_is_asked_for_and_absent_is_missing_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mnist"):
        digit_parts("mnist", Context(tmp_path, {"mnist": MNIST}, offline=True))


def test_canvases_of_the_parts_differ(tmp_path: Path, small: Callable[..., None]) -> None:
    small(noise)
    parts = digit_parts("digits", Context(tmp_path))
    counts = {"train": 30, "val": 20, "test": 10}
    drawn = draw_parts(parts, counts, 0, CanvasOptions())
    assert {name: len(canvases) for name, canvases in drawn.items()} == counts
    assert not np.array_equal(drawn["train"].images[:10], drawn["test"].images)
    more = draw_parts(parts, {**counts, "train": 300}, 0, CanvasOptions())
    np.testing.assert_array_equal(more["train"].images[:30], drawn["train"].images)


@pytest.mark.realdata
def test_the_first_canvases_of_mnist_are_these(realdata: Callable[[str], Path]) -> None:
    """The default canvas, as figures are measured on it."""
    context = Context(realdata("mnist").parent, {"mnist": MNIST}, offline=True)
    parts = digit_parts("mnist", context)
    assert {name: len(part) for name, part in parts.items()} == {"train": 54_000, "val": 6_000, "test": 10_000}
    drawn = draw_parts(parts, {"train": 100, "val": 100, "test": 100}, 0, CanvasOptions())
    found = {}
    for name, canvases in drawn.items():
        content = hashlib.sha256()
        for array in (canvases.images, canvases.boxes, canvases.labels):
            content.update(array.tobytes())
        found[name] = content.hexdigest()
    assert found == {
        "train": "f806d0ed839b4acc0abd69db780b7b29b3a9e7e57d7bd0690e7754279be07480",
        "val": "928e3a5202931729d02817ebac0b513b35fdcd7c51d9a51e052ebc00eca43579",
        "test": "183e6b8cbcabee1803ad9aeefc8119bc9d6d7ca4d43687743bdb134c27cd3881",
    }


def test_only_what_nobody_asked_for_is_said() -> None:
    assert note_of("auto", "mnist") == ["MNIST's digits"] and "no MNIST" in note_of("auto", "digits")[0]
    assert note_of("digits", "digits") == note_of("mnist", "mnist") == []
