"""From an image as it was stored to 8-bit pixels, RGB or grey: the one way, in training and in answers.

Transparency is laid on a background, values of more than 8 bits are brought to 8, what lies on its side is turned.
Whatever had to be decided on the way comes back beside the pixels, to be said.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO

from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from dlkit.data.depths import Deep, deep
from dlkit.data.pixel_rules import DROP, Kind, Origin, PixelRules, Range

BACKGROUNDS: Mapping[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
}

_ORIENTATION = 0x0112
"""EXIF's tag for how an image is turned."""
_WIDTH, _HEIGHT = 256, 257
"""TIFF's tags for its rows' length, and their number."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = (5, 6, 7, 8)
"""Orientations under which width and height change places."""


@dataclass(frozen=True)
class Conversion:
    """What had to be decided of one image.

    see_through  what transparent pixels lie on, if there are any; else empty
    kind, low, high  of values of more than 8 bits: what they are, and what they reach
    span, origin  what they were taken for, and who says so
    frames       whether there are more images in the file than the first
    """

    see_through: str = ""
    kind: Kind | None = None
    low: float = 0
    high: float = 0
    span: Range = (0, 255)
    origin: Origin = "option"
    frames: bool = False


def depict(
    image: Image.Image, *, colour: bool, rules: PixelRules, again: Callable[[], Image.Image] | None = None
) -> tuple[Image.Image, Conversion]:
    """An image, upright, in mode RGB or L, and what was decided. ``again`` opens the same file anew: of colours of 16
    bits only that shows all. DataError where it holds no picture."""
    frames = image.format != "MPO" and bool(getattr(image, "is_animated", False))  # MPO: a preview beside a photograph
    values = deep(image, again)  # before anything is decoded: it may have to be decoded differently
    image.load()
    turn = _TURNS.get(orientation(image))  # after: Pillow turns a TIFF while it decodes it, and no other
    conversion = Conversion(frames=frames)
    if values is not None:
        image, conversion = _to_8_bits(values, rules, conversion)
    pixels, see_through = _opaque(image, rules.background, colour=colour)
    upright = pixels if turn is None else pixels.transpose(turn)
    return upright, replace(conversion, see_through=see_through)


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Width and height as the image is seen, of one that is not decoded yet."""
    # A TIFF's size is that of the turned image already in some versions of Pillow; its tags are in none.
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    width, height = tags.get(_WIDTH, image.width), tags.get(_HEIGHT, image.height)
    return (height, width) if orientation(image) in _ON_ITS_SIDE else (width, height)


def orientation(image: Image.Image) -> int:
    """EXIF's orientation, from 1 (upright) to 8, by what the file says before its pixels or after them."""
    # Not image.getexif(): of a PNG without EXIF in its header, that decodes all of it to look at its end.
    if isinstance(image, PngImagePlugin.PngImageFile) and "exif" not in image.info and _says_more(image):
        image.load()
    # Of a photograph whose EXIF is damaged the pixels are as good: it is taken as it lies.
    try:
        found = Image.Image.getexif(image).get(_ORIENTATION, 1)
    except (SyntaxError, ValueError, TypeError, KeyError, OverflowError, struct.error):
        return 1
    return found if isinstance(found, int) else 1


def _says_more(image: PngImagePlugin.PngImageFile) -> bool:
    """Whether a PNG file whose pixels are not decoded yet has EXIF or XMP after them."""
    file, tile = image.fp, image.tile
    if file is None or not tile:
        return False
    begins = file.tell()  # whoever decodes goes on from there
    try:
        return any(kind in _TELLING for kind in _chunks_from(file, tile[0].offset - _CHUNK_HEAD))
    finally:
        file.seek(begins)


_TELLING = (b"eXIf", b"iTXt", b"zTXt")
"""Chunks of a PNG in which EXIF, or XMP, may lie."""
_CHUNK_HEAD = 8


def _chunks_from(file: IO[bytes], place: int) -> Iterator[bytes]:
    """The kinds of a PNG's chunks from a place in the file on; what is between their heads is passed over."""
    while True:
        file.seek(place)
        head = file.read(_CHUNK_HEAD)
        if len(head) < _CHUNK_HEAD:
            return
        yield head[4:]
        place += _CHUNK_HEAD + int.from_bytes(head[:4]) + 4


def _to_8_bits(values: Deep, rules: PixelRules, conversion: Conversion) -> tuple[Image.Image, Conversion]:
    low, high = values.extremes()
    span, origin = rules.span(values.kind, low, high, values.declared)
    found = replace(conversion, kind=values.kind, low=low, high=high, span=span, origin=origin)
    # By their type alone values are taken as they are stored: so older runs took them.
    return values.to_8_bits(span, as_stored=rules.value_range == "type"), found


def _opaque(image: Image.Image, background: str, *, colour: bool) -> tuple[Image.Image, str]:
    """In mode RGB or L, and what transparent pixels lie on, if there are any."""
    mode = "RGB" if colour else "L"
    if image.mode == "LAB":  # which Pillow's convert does not know
        lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB") or image
    # By the mode alone nothing can be said: grey and palettes have a transparent colour beside them.
    if not image.has_transparency_data:
        return image.convert(mode), ""
    if background == DROP and image.mode == "LA":
        whole = image
    else:
        whole = image.convert("RGBA")  # a palette's too: straight to RGB, Pillow warns of transparency in bytes
    opacity = whole.getchannel("A").getextrema()
    if opacity == (255, 255):
        return whole.convert(mode), ""
    # By Pillow's own arithmetic, in integers: the same pixels on every machine.
    if background != DROP:
        paper = Image.new("RGBA", whole.size, (*_rgb(background), 255))
        whole = Image.alpha_composite(paper, whole)
    return whole.convert(mode), background


def _rgb(background: str) -> tuple[int, int, int]:
    if background in BACKGROUNDS:
        return BACKGROUNDS[background]
    red, green, blue = bytes.fromhex(background.removeprefix("#"))
    return red, green, blue
