"""Images without labels: folders as they are found, what is wrong with them, digits of every size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dlkit.data.encoding import Encoding
from dlkit.data.options import ImageFiles
from dlkit.data.unlabelled import Unlabelled, folder, sized
from dlkit.errors import DataError


@pytest.fixture
def images(tmp_path: Path) -> Callable[..., Path]:
    """``images("a", 12, size=(30, 40))``: so many images below ``tmp_path/a``, image i of grey value i."""

    def make(name: str, count: int, size: tuple[int, int] = (32, 32), suffix: str = "png") -> Path:
        place = tmp_path / name
        place.mkdir(parents=True, exist_ok=True)
        for i in range(count):
            Image.new("RGB", size, (i, i, i)).save(place / f"{i:03}.{suffix}")
        return place

    return make


def options(path: Path, **fields: object) -> ImageFiles:
    return ImageFiles(path=str(path), **fields)  # type: ignore[arg-type]


def test_divided_at_random_and_always_alike(images: Callable[..., Path]) -> None:
    root = images("all", 20)
    found = folder(root, options(root), 16)
    assert {part: len(pixels) for part, pixels in found.parts.items()} == {"train": 16, "test": 2, "val": 2}
    assert found.shape == (3, 16, 16)
    values = sorted(int(image[0, 0, 0]) for pixels in found.parts.values() for image in pixels)
    assert values == list(range(20))
    again = folder(root, options(root), 16)
    assert all(np.array_equal(found.parts[part], again.parts[part]) for part in found.parts)
    other = folder(root, options(root, split_seed=1), 16)
    assert not np.array_equal(found.parts["train"], other.parts["train"])


def test_folders_of_splits_are_taken_as_they_are(images: Callable[..., Path], tmp_path: Path) -> None:
    images("root/train/deep", 10)
    images("root/valid", 3)
    found = folder(tmp_path / "root", options(tmp_path / "root"), 32)
    assert {part: len(pixels) for part, pixels in found.parts.items()} == {"train": 10, "val": 3}


def test_a_missing_validation_folder_is_made_up_for(images: Callable[..., Path], tmp_path: Path) -> None:
    images("root/train", 10)
    images("root/test", 2)
    found = folder(tmp_path / "root", options(tmp_path / "root", val_fraction=0.3), 32)
    assert {part: len(pixels) for part, pixels in found.parts.items()} == {"train": 7, "test": 2, "val": 3}


def test_a_large_test_folder_takes_no_more_from_training(images: Callable[..., Path], tmp_path: Path) -> None:
    """The share is one of the training images: of all 60, a tenth would be more than the 5 there are."""
    images("root/train", 5)
    images("root/test", 55)
    found = folder(tmp_path / "root", options(tmp_path / "root", val_fraction=0.2), 32)
    assert {part: len(pixels) for part, pixels in found.parts.items()} == {"train": 4, "test": 55, "val": 1}


def test_a_folder_called_train_among_others_is_one_of_them(images: Callable[..., Path], tmp_path: Path) -> None:
    for name, count in (("train", 8), ("plane", 7), ("car", 5)):
        images(f"root/{name}", count)
    found = folder(tmp_path / "root", options(tmp_path / "root"), 32)
    assert sum(map(len, found.parts.values())) == 20


def test_two_validation_folders_are_refused(images: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("train", "val", "valid"):
        images(f"root/{name}", 3)
    with pytest.raises(DataError, match="both val and valid are val parts"):
        folder(tmp_path / "root", options(tmp_path / "root"), 32)


def test_grey_and_cropped(images: Callable[..., Path]) -> None:
    root = images("wide", 20, size=(64, 32))
    assert folder(root, options(root, colour=False), 32).shape == (1, 32, 32)


@pytest.mark.parametrize(("fit", "refused"), [("crop", True), ("letterbox", False)])
def test_small_images_are_named(images: Callable[..., Path], fit: str, refused: bool) -> None:
    """Cropping would enlarge an image of 40x20 pixels to 32x32, letter-boxing would not."""
    root = images("ok", 20, size=(40, 40))
    images("ok/small", 2, size=(40, 20))
    if refused:
        with pytest.raises(DataError) as told:
            folder(root, options(root, fit=fit), 32)
        text = str(told.value)
        assert "2 of 22 images are too small" in text and "000.png: 40x20, less than 32x32" in text
        assert "dataset.enlarge" in text and "dataset.size" in text
    assert sum(map(len, folder(root, options(root, fit=fit, enlarge=True), 32).parts.values())) == 22
    if not refused:
        assert sum(map(len, folder(root, options(root, fit=fit), 32).parts.values())) == 22


def test_an_image_that_lies_on_its_side_is_measured_upright(images: Callable[..., Path]) -> None:
    root = images("ok", 20, size=(40, 40))
    turned = Image.new("RGB", (40, 20))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(root / "turned.jpg", exif=exif)
    with pytest.raises(DataError, match=r"turned\.jpg: 20x40"):
        folder(root, options(root), 32)


def test_unreadable_images(images: Callable[..., Path]) -> None:
    root = images("ok", 20)
    (root / "bad.png").write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"1 of 21 images cannot be read:\n.*bad\.png(.|\n)*dataset\.skip_unreadable"):
        folder(root, options(root), 32)
    found = folder(root, options(root, skip_unreadable=True), 32)
    assert sum(map(len, found.parts.values())) == 20
    assert "1 of 21" in found.notes[0]


@pytest.mark.parametrize(("name", "words"), [("nowhere", "no such folder"), ("empty", "holds no images")])
def test_no_images(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "empty" / "below").mkdir(parents=True)
    with pytest.raises(DataError, match=words):
        folder(tmp_path / name, options(tmp_path / name), 32)


def test_nothing_readable(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match="none is left"):
        folder(tmp_path, options(tmp_path, skip_unreadable=True), 32)


def test_too_few_to_divide(images: Callable[..., Path]) -> None:
    root = images("few", 3)
    with pytest.raises(DataError, match="too few"):
        folder(root, options(root), 32)


@pytest.mark.parametrize("size", [28, 30, 32, 64])
def test_digits_of_every_size(size: int) -> None:
    digit = np.zeros((1, 28, 28), np.uint8)
    digit[0, 10:20, 12:16] = 255
    found = sized(digit, size)
    assert found.shape == (1, size, size)
    if size <= 32:
        assert found.sum() == digit.sum()
    else:
        assert found.mean() == pytest.approx(digit.mean(), rel=0.05)


def test_splits() -> None:
    pixels = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
    split = Unlabelled({"train": pixels}).splits(Encoding([0.5], [0.5]))["train"]
    image = split.take(torch.tensor([1]))["image"]
    torch.testing.assert_close(image, torch.from_numpy(pixels[1:]).float() / 127.5 - 1)


def test_folders_of_splits_are_known_in_any_writing(images: Callable[..., Path], tmp_path: Path) -> None:
    for name, count in (("Training_Set", 10), ("test-images", 4)):
        images(f"root/{name}", count)
    found = folder(tmp_path / "root", options(tmp_path / "root", val_fraction=0.2), 32)
    assert {part: len(pixels) for part, pixels in found.parts.items()} == {"train": 8, "test": 4, "val": 2}
    assert found.notes[0] == "taken as parts: Training_Set as train, test-images as test"
    assert any("3 of 4 test images are equal to train images" in note for note in found.notes)
    apart = folder(tmp_path / "root", options(tmp_path / "root", val_fraction=0.2, equal="drop"), 32)
    assert {part: len(pixels) for part, pixels in apart.parts.items()} == {"train": 5, "test": 4, "val": 2}


def test_lists_and_groups_divide_a_folder(images: Callable[..., Path], tmp_path: Path) -> None:
    root = images("all", 20)
    (tmp_path / "train.txt").write_text("\n".join(f"{i:03}.png" for i in range(12)))
    (tmp_path / "val.txt").write_text("\n".join(f"{i:03}" for i in range(12, 15)))
    lists = {f"{part}_list": str(tmp_path / f"{part}.txt") for part in ("train", "val")}
    found = folder(root, options(root, **lists), 16)
    assert found.parts["train"][:, 0, 0, 0].tolist() == list(range(12)) and len(found.parts["val"]) == 3
    assert "5 of 20 images are in no list and left out" in found.notes
    found = folder(root, options(root, group=r"(\d)\.png"), 16)
    ends = [{level % 10 for level in part[:, 0, 0, 0].tolist()} for part in found.parts.values()]
    assert len(ends) == 3 and sum(map(len, ends)) == 10


def test_parts_further_down_are_not_pooled(images: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("archive/Train", "archive/Test"):
        images(f"root/{name}", 10)
    with pytest.raises(DataError, match=r"'Test', 'Train' look like parts of a set(.|\n)*dataset\.doubtful = take"):
        folder(tmp_path / "root", options(tmp_path / "root"), 32)
    found = folder(tmp_path / "root", options(tmp_path / "root", doubtful="take"), 32)
    assert sum(map(len, found.parts.values())) == 20
