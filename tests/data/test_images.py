"""Image folders, and images brought to a size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from dlkit.data.image_files import image_files, named_images
from dlkit.data.image_folders import class_folders
from dlkit.data.image_sets import read_usable
from dlkit.data.images import any_image, fitted, read_image
from dlkit.errors import DataError


def save(path: Path, pixels: npt.NDArray[np.uint8], **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)  # type: ignore[arg-type]
    return path


def noise(*shape: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_an_image_of_the_size_is_left_as_it_is(tmp_path: Path) -> None:
    colour, grey = noise(5, 7, 3), noise(5, 7)
    np.testing.assert_array_equal(
        read_image(save(tmp_path / "c.png", colour), 5, 7, colour=True), colour.transpose(2, 0, 1)
    )
    np.testing.assert_array_equal(read_image(save(tmp_path / "g.png", grey), 5, 7, colour=False), grey[None])


def test_crop_keeps_the_middle_and_letterbox_the_whole() -> None:
    pixels = np.zeros((10, 30), np.uint8)
    pixels[:, :10], pixels[:, 10:20], pixels[:, 20:] = 50, 100, 150
    image = Image.fromarray(pixels)
    assert np.unique(fitted(image, 10, 10, "crop")).tolist() == [100]
    whole = fitted(image, 30, 30, "letterbox")
    assert whole.shape == (1, 30, 30)
    assert np.unique(whole[0, :10]).tolist() == [0] and np.unique(whole[0, 20:]).tolist() == [0]
    assert np.unique(whole[0, 10:20]).tolist() == [50, 100, 150]


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA", "P", "CMYK", "1", "I;16"])
@pytest.mark.parametrize("colour", [True, False])
def test_every_mode_becomes_the_wanted_one(mode: str, colour: bool, tmp_path: Path) -> None:
    path = tmp_path / ("image.tif" if mode == "CMYK" else "image.png")
    image = Image.fromarray(np.full((6, 6), 255 << 8, np.uint16)) if mode == "I;16" else Image.new("L", (6, 6), 255)
    (image if mode == "I;16" else image.convert(mode)).save(path)
    pixels = read_image(path, 4, 4, colour=colour)
    assert pixels.shape == (3 if colour else 1, 4, 4) and pixels.dtype == np.uint8
    assert (pixels >= 254).all()


def test_a_palette_with_transparency_is_no_warning(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "p.png", transparency=b"\x00\xff")
    assert read_image(tmp_path / "p.png", 4, 4, colour=True)[:, 0, 0].tolist() == [10, 20, 30]


def test_a_photograph_lying_on_its_side_is_turned(tmp_path: Path) -> None:
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:, :4] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    save(tmp_path / "turned.png", pixels, exif=exif)
    turned = read_image(tmp_path / "turned.png", 8, 4, colour=True)
    assert turned[:, :4].min() == 255 and turned[:, 4:].max() == 0


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    whole = save(tmp_path / "whole.png", noise(64, 64, 3)).read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    for name in ("text.png", "half.png", "absent.png"):
        with pytest.raises(DataError, match=name):
            read_image(tmp_path / name, 8, 8, colour=True)


def test_many_are_read_in_order_and_failures_told(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{value}.png", np.full((4, 4), value, np.uint8)) for value in range(10, 30)]
    paths[3].write_bytes(b"broken")
    found = read_usable(paths, 4, 4, colour=False, fit="crop", skip=True)
    assert found.kept.tolist() == [i for i in range(20) if i != 3] and "13.png" in found.notes[0]
    assert found.images[:, 0, 0, 0].tolist() == [10 + i for i in range(20) if i != 3]


def test_a_folder_per_class(tmp_path: Path) -> None:
    pixels = noise(4, 4)
    for name in ("b/2.png", "b/1.JPG", "a/deep/er/3.png", "a/.hidden/4.png", ".git/5.png"):
        save(tmp_path / name, pixels)
    (tmp_path / "b" / "notes.txt").write_text("no image")
    folder = class_folders(tmp_path)
    assert folder.classes == ["a", "b"] and folder.labels == [0, 1, 1]
    assert [(path.name, name) for path, name in folder] == [("3.png", "a"), ("1.JPG", "b"), ("2.png", "b")]
    assert class_folders(tmp_path, ["z", "b", "a"]).labels == [2, 1, 1]


def test_folders_that_will_not_do_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        class_folders(tmp_path / "absent")
    with pytest.raises(DataError, match="no such folder"):
        image_files(tmp_path / "absent")
    with pytest.raises(DataError, match="no folder per class"):
        class_folders(tmp_path)
    save(tmp_path / "a" / "1.png", noise(4, 4))
    with pytest.raises(DataError, match="unknown classes a; there are: x, y"):
        class_folders(tmp_path, ["x", "y"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no images in empty"):
        class_folders(tmp_path)


def test_images_are_asked_about_in_any_form(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "i.png")
    forms = [tmp_path / "i.png", str(tmp_path / "i.png"), Image.fromarray(pixels), pixels, pixels.tolist()]
    for form in forms:
        np.testing.assert_array_equal(np.asarray(any_image(form, colour=True)[0]), pixels)
    assert np.asarray(any_image(pixels[:, :, :1], colour=False)[0]).tolist() == pixels[:, :, 0].tolist()
    for wrong in (np.zeros((4, 4)), np.zeros((2, 4, 4, 3), np.uint8), [[300]], [[-1]]):
        with pytest.raises(DataError, match="an image is uint8"):
            any_image(wrong, colour=True)


def test_files_and_folders_are_named(tmp_path: Path) -> None:
    for name in ("b.png", "deep/a.jpg", "note.txt"):
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).touch()
    named = named_images([str(tmp_path / "all"), str(tmp_path / "all" / "note.txt")])
    assert [path.name for path in named[0]] == ["b.png", "a.jpg", "note.txt"]
    assert "1 other files are passed over (1 .txt)" in named[1][0]
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="none: holds no images"):
        named_images([str(tmp_path / "none")])
    with pytest.raises(DataError, match="absent: no such file or folder"):
        named_images([str(tmp_path / "absent")])
