"""Images of every mode, range, size and orientation become the pixels that they were made of, and guesses are said."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from deep_images import chunk, png16, tiff
from dlkit.data.conversions import conversion_notes
from dlkit.data.image_sets import read_usable
from dlkit.data.images import any_image, image_size, look_at, open_image, read_image
from dlkit.data.pixel_rules import BEFORE, PixelRules
from dlkit.errors import DataError

Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.generic]


class Way(NamedTuple):
    """How a picture is stored: its truth is grey [H,W] or RGB [H,W,3]; with opacity, on white."""

    name: str
    channels: int
    store: Callable[[Pixels, Pixels, Image.Exif], bytes]
    opacity: bool = False
    said: str = ""
    binary: bool = False


def encoded(image: Image.Image, format: str, exif: Image.Exif, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, exif=exif, **options)
    return buffer.getvalue()


def by_mode(mode: str, format: str, **options: object) -> Callable[[Pixels, Pixels, Image.Exif], bytes]:
    return lambda truth, _, exif: encoded(Image.fromarray(truth).convert(mode), format, exif, **options)


def by_values(change: Callable[[Values], Values], format: str) -> Callable[[Pixels, Pixels, Image.Exif], bytes]:
    return lambda truth, _, exif: encoded(Image.fromarray(change(truth)), format, exif)


def with_opacity(truth: Pixels, opacity: Pixels, exif: Image.Exif, mode: str = "RGBA") -> bytes:
    image = Image.fromarray(truth).convert(mode)
    image.putalpha(Image.fromarray(opacity))
    return encoded(image, "PNG", exif)


def big_endian(truth: Pixels, _: Pixels, exif: Image.Exif) -> bytes:
    tall = Image.frombytes("I;16B", truth.shape[::-1], (truth.astype(np.uint16) * 257).astype(">u2").tobytes())
    return encoded(tall, "TIFF", exif)


def deep_png(truth: Pixels, opacity: Pixels, exif: Image.Exif, factor: int = 257, clear: bool = False) -> bytes:
    planes = truth.reshape(*truth.shape[:2], -1).astype(np.uint16) * factor
    if clear:
        planes = np.concatenate([planes, opacity[..., None].astype(np.uint16) * 257], -1)
    return png16(planes, before=chunk(b"eXIf", exif.tobytes()[6:]))


def wide(factor: int, dtype: type = np.uint16) -> Callable[[Values], Values]:
    return lambda truth: (truth.astype(np.int64) * factor + (15 if factor == 16 else 0)).astype(dtype)


def shares(truth: Values) -> Values:
    return truth.astype(np.float32) / np.float32(255)


WAYS = [
    Way("L", 1, by_mode("L", "PNG")),
    Way("RGB", 3, by_mode("RGB", "PNG")),
    Way("RGB BMP", 3, lambda truth, _, __: encoded(Image.fromarray(truth), "BMP", Image.Exif())),
    Way("P", 1, by_mode("P", "PNG")),
    Way("1", 1, by_mode("1", "PNG"), binary=True),
    Way("1 TIFF", 1, by_mode("1", "TIFF"), binary=True),
    Way("CMYK", 3, by_mode("CMYK", "TIFF")),
    Way("LA", 1, lambda *stored: with_opacity(*stored, mode="L"), opacity=True, said="transparent"),
    Way("RGBA", 3, with_opacity, opacity=True, said="transparent"),
    Way("WebP", 3, lambda t, o, e: encoded(Image.fromarray(np.dstack([t, o])), "WEBP", e, lossless=True, exact=True),
        opacity=True, said="transparent"),
    Way("I;16", 1, by_values(wide(257), "PNG")),
    Way("I;16 TIFF", 1, by_values(wide(257), "TIFF")),
    Way("I;16 of 12 bits", 1, by_values(wide(16), "TIFF"), said="0 … 4095 is taken for black … white"),
    Way("I;16 of 8 bits", 1, by_values(wide(1), "PNG"), said="0 … 255 is taken for black … white"),
    Way("I;16B", 1, big_endian),
    Way("PGM of 16 bits", 1, lambda t, _, __: encoded(Image.fromarray(wide(257)(t)), "PPM", Image.Exif())),
    Way("I of 8 bits", 1, by_values(wide(1, np.int32), "TIFF"), said="0 … 255 is taken for black … white"),
    Way("I of 16 bits", 1, by_values(wide(257, np.int32), "TIFF"), said="0 … 65535 is taken for black … white"),
    Way("I, negative", 1, by_values(lambda t: t.astype(np.int32) - 128, "TIFF"), said="-128 … 127 is taken"),
    Way("F, shares", 1, by_values(shares, "TIFF"), said="0 … 1 is taken for black … white"),
    Way("F, 0 to 255", 1, by_values(lambda t: t.astype(np.float32), "TIFF"), said="0 … 255 is taken"),
    Way("F, negative", 1, by_values(lambda t: (shares(t) * 2 - 1).astype(np.float32), "TIFF"), said="-1 … 1 is taken"),
    Way("RGB of 16 bits", 3, deep_png),
    Way("RGB, 8 bits in 16", 3, lambda *stored: deep_png(*stored, factor=1), said="0 … 255 is taken"),
    Way("RGBA of 16 bits", 3, lambda *s: deep_png(*s, clear=True), opacity=True, said="transparent"),
    Way("LA of 16 bits", 1, lambda *s: deep_png(*s, clear=True), opacity=True, said="transparent"),
    Way("LA, 8 bits in 16", 1, lambda *s: deep_png(*s, factor=1, clear=True), opacity=True, said="0 … 255 is taken"),
]  # fmt: skip
UPRIGHT = ("RGB BMP", "PGM of 16 bits")
"""Ways without EXIF."""

TURN = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
    8: lambda a: np.rot90(a, -1),
}
"""EXIF's orientation → how an upright image lies in its file."""


def picture(way: Way, height: int, width: int, seed: int) -> tuple[Pixels, Pixels]:
    """Pixels that reach from 0 to 255, so that their range can be known, and an opacity that is not full everywhere."""
    generator = np.random.default_rng(seed)
    shape = (height, width) if way.channels == 1 else (height, width, 3)
    truth = generator.integers(0, 256, shape, dtype=np.uint8)
    truth = np.where(truth > 127, np.uint8(255), np.uint8(0)) if way.binary else truth
    truth.reshape(-1)[0], truth.reshape(-1)[-1] = 0, 255
    opacity = generator.integers(0, 256, (height, width), dtype=np.uint8)
    opacity.reshape(-1)[0] = 0
    return truth, opacity


def seen(way: Way, truth: Pixels, opacity: Pixels) -> npt.NDArray[np.float64]:
    """What is to be seen, [C,H,W]."""
    planes = truth.reshape(*truth.shape[:2], -1).astype(float)
    share = opacity[..., None] / 255 if way.opacity else 1
    return np.moveaxis(planes * share + 255 * (1 - share), -1, 0)


def check(folder: Path, way: Way, height: int, width: int, turn: int, seed: int) -> None:
    truth, opacity = picture(way, height, width, seed)
    turn = 1 if way.name in UPRIGHT else turn
    exif = Image.Exif()
    exif[0x0112] = turn
    path = folder / "image.bin"
    path.write_bytes(way.store(*(np.ascontiguousarray(TURN[turn](a)) for a in (truth, opacity)), exif))
    image, conversion = look_at(path, colour=way.channels == 3)
    assert image_size(path) == image.size == (width, height)
    found = np.asarray(image, float).reshape(height, width, -1)
    assert np.abs(np.moveaxis(found, -1, 0) - seen(way, truth, opacity)).max() <= 1
    notes = conversion_notes([(str(path), conversion)], "dataset.")
    assert (way.said in " ".join(notes) and str(path) in notes[0]) if way.said else notes == []


@pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])
def test_an_image_is_read_as_it_was_made(tmp_path: Path, way: Way) -> None:
    for turn in (1, 6):
        check(tmp_path, way, 5, 7, turn, turn)


AS_MADE = {
    "way": st.sampled_from(WAYS),
    "height": st.integers(2, 40),
    "width": st.integers(1, 40),
    "turn": st.integers(1, 8),
    "seed": st.integers(0, 2**32),
}
KEPT = (HealthCheck.function_scoped_fixture,)


@given(**AS_MADE)
@settings(max_examples=60, suppress_health_check=KEPT, deadline=None)
def test_any_image_is_read_as_it_was_made(
    tmp_path: Path, way: Way, height: int, width: int, turn: int, seed: int
) -> None:
    check(tmp_path, way, height, width, turn, seed)


@pytest.mark.slow
@given(**AS_MADE)
@settings(max_examples=3000, suppress_health_check=KEPT, deadline=None)
def test_thousands_of_images_are_read_as_they_were_made(
    tmp_path: Path, way: Way, height: int, width: int, turn: int, seed: int
) -> None:
    check(tmp_path, way, height, width, turn, seed)


def transparent(path: Path, mode: str = "RGBA") -> Path:
    image = Image.new("L", (4, 4), 0).convert(mode[:-1] if mode != "P" else "L")
    if mode == "P":
        image = image.convert("P")
        image.save(path, transparency=image.getpixel((0, 0)))
        return path
    image.putalpha(0)
    image.save(path)
    return path


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
@pytest.mark.parametrize(
    ("background", "level"), [("white", 255), ("black", 0), ("grey", 128), ("#204060", 32), ("drop", 0)]
)
def test_transparent_pixels_show_the_background(tmp_path: Path, mode: str, background: str, level: int) -> None:
    path = transparent(tmp_path / "a.png", mode)
    rules = PixelRules(background)
    assert int(read_image(path, 4, 4, colour=True, rules=rules)[0].min()) == level
    with Image.open(path) as image:
        assert any_image(image, colour=True, rules=rules)[0].getpixel((0, 0))[0] == level  # type: ignore[index]
    (note,) = conversion_notes([("a.png", look_at(path, colour=False, rules=rules)[1])], "dataset.")
    assert "1 image has transparent pixels (first: a.png)" in note and "dataset.background" in note


def test_an_image_that_could_be_transparent_and_is_not_is_no_news(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (1, 2, 3, 255)).save(tmp_path / "a.png")
    image, conversion = look_at(tmp_path / "a.png", colour=True)
    assert image.getpixel((0, 0)) == (1, 2, 3) and conversion_notes([("a", conversion)], "") == []


def test_dark_images_among_bright_ones_are_dark(tmp_path: Path) -> None:
    paths = []
    for i, level in enumerate((40, 4000, 900)):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(np.full((4, 4), level, np.uint16)).save(paths[-1])
    found = read_usable(paths, 4, 4, colour=False, fit="crop", skip=False)
    assert found.images[:, 0, 0, 0].tolist() == [40 * 256 // 4096, 4000 * 256 // 4096, 900 * 256 // 4096]
    (note,) = found.notes
    assert "3 images of 16-bit values, 40 … 4000 (first:" in note and "0 … 4095 is taken" in note
    again = read_usable(paths[:1], 4, 4, colour=False, fit="crop", skip=False, rules=found.rules)
    assert again.images[0, 0, 0, 0] == 2 and "as in training" in again.notes[0]


def test_a_range_that_is_given_holds_and_what_is_outside_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(np.array([[-5, 0, 5, 20]], np.float32)).save(path)
    image, conversion = look_at(path, colour=False, rules=PixelRules(value_range="0..10"))
    assert np.asarray(image).tolist() == [[0, 0, 128, 255]]
    (note,) = conversion_notes([("a.tif", conversion)], "dataset.")
    assert "1 image has values outside 0 … 10 (first: a.tif), which are cut off" in note


def test_what_older_runs_did_is_done_still(tmp_path: Path) -> None:
    assert open_image(transparent(tmp_path / "a.png"), colour=False, rules=BEFORE).getextrema() == (0, 0)
    path = tmp_path / "b.png"
    Image.fromarray(np.full((4, 4), 255, np.uint16)).save(path)
    image, conversion = look_at(path, colour=False, rules=BEFORE)
    assert image.getextrema() == (0, 0)
    assert "0 … 65535 is taken for black … white, by the values' type" in conversion_notes([("b", conversion)], "")[0]


def test_values_that_are_no_numbers_are_refused_by_name(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, np.nan]], np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"a\.tif: holds values that are not finite numbers"):
        open_image(tmp_path / "a.tif", colour=True)


def test_a_pil_image_on_its_side_is_turned_as_its_file_is(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (8, 4)).save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as image:
        assert any_image(image, colour=True)[0].size == (4, 8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_file_whose_white_is_0_is_no_negative(tmp_path: Path, dtype: type) -> None:
    values = np.array([[0, 50, 255]], dtype)
    for photometric, seen in ((0, [[255, 205, 0]]), (1, [[0, 50, 255]])):
        (tmp_path / "a.tif").write_bytes(tiff(values, photometric))
        assert np.asarray(open_image(tmp_path / "a.tif", colour=False)).tolist() == seen
    (tmp_path / "a.tif").write_bytes(tiff(values.astype(np.uint16) * 257, 0))
    assert np.asarray(open_image(tmp_path / "a.tif", colour=False, rules=BEFORE)).tolist() == [[0, 50, 255]]


def test_opened_images_and_arrays_are_read_as_files_are(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png16(np.full((4, 4, 3), 200)))
    with Image.open(tmp_path / "a.png") as image:
        assert any_image(image, colour=True)[0].getpixel((0, 0)) == (200, 200, 200)
    clear = np.zeros((4, 4, 4), np.uint8)
    pixels, conversion = any_image(clear, colour=True)
    assert pixels.getpixel((0, 0)) == (255, 255, 255) and conversion.see_through == "white"


def test_several_images_in_a_file_are_said(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 4), level) for level in (10, 200)]
    for name in ("a.gif", "a.tif", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        image, conversion = look_at(tmp_path / name, colour=False)
        assert image.getpixel((0, 0)) == 10
        assert conversion_notes([(name, conversion)], "") == [
            f"1 file holds several images (first: {name}): the first of them counts"
        ]


@pytest.mark.parametrize("kind", [b"tEXt", b"iTXt"])
def test_a_long_comment_refuses_no_pixels(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "a.png"
    text = b"Comment\0" + (b"\0\0\0\0" if kind == b"iTXt" else b"") + b"x" * 3_000_000
    path.write_bytes(png16(np.full((4, 4, 1), 65535), before=chunk(kind, text)))
    assert open_image(path, colour=False).getextrema() == (255, 255)


def test_exif_after_the_pixels_turns_them_and_their_size(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.png"
    path.write_bytes(png16(np.zeros((4, 8, 1)), after=chunk(b"eXIf", exif.tobytes()[6:])))
    assert image_size(path) == open_image(path, colour=False).size == (4, 8)
