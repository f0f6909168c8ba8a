"""Reading an image, at a given size.

Pixels are uint8 [C,H,W], C = 1 (grey) or 3 (RGB). Training data and what people hand a trained model go through the
same functions, so a model sees both alike.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import IO, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError, features

from dlkit.bounded import open_regular
from dlkit.data.pixel_rules import PLAIN, PixelRules
from dlkit.data.pixels import Conversion, depict, upright_size
from dlkit.errors import DataError

Fit = Literal["crop", "letterbox"]
"""``crop``: scaled until it covers the size, the middle kept; ``letterbox``: scaled until it fits, on black."""

FORMATS = ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"]
"""All that is opened as an image, whatever a file is called, besides what ``_decoders`` adds: Pillow knows forty more,
of which it runs Ghostscript for one, and most of which nobody has looked at for long."""
_AVIF, _HEIF = (".avif", ".avifs"), (".heic", ".heif", ".hif")
_JPEG, _NETPBM = (".jpg", ".jpeg", ".jpe", ".jfif"), (".ppm", ".pgm", ".pbm", ".pnm")
_OTHERS = (".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff")
SUFFIXES = frozenset((*_OTHERS, *_JPEG, *_NETPBM, *_AVIF, *_HEIF))
"""What images are called; whether AVIF and HEIF can be read, ``unreadable_suffixes`` says."""

# A file of a few kB may decode to gigabytes: refused as soon as its header is read, not warned about. Once, for the
# whole process: a filter of ``catch_warnings`` is every thread's, and images are read by several.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# A long comment is no reason to refuse sound pixels: one may be as long as Pillow lets all of them be, 64 MiB.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY


@cache
def _decoders() -> tuple[list[str], frozenset[str]]:
    """Formats that are opened, and suffixes of images that this machine has no decoder for."""
    formats, lacking = list(FORMATS), set[str]()
    if features.check("avif"):
        formats.append("AVIF")
    else:
        lacking |= {*_AVIF}
    # No dependency of ours: its decoder is under another licence, and few people's images are HEIC.
    if find_spec("pillow_heif"):
        import_module("pillow_heif").register_heif_opener()
        formats.append("HEIF")
    else:
        lacking |= {*_HEIF}
    return formats, frozenset(lacking)


def unreadable_suffixes() -> frozenset[str]:
    """Those of ``SUFFIXES`` that nothing installed here can decode; pillow-heif would, for HEIC."""
    return _decoders()[1]


def allow_megapixels(million: float) -> None:
    """Let images of so many million pixels be decoded, in this process, from now on."""
    if Image.MAX_IMAGE_PIXELS is not None and million * 1e6 > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = int(million * 1e6)


def open_image(path: Path, *, colour: bool, enough: int = 0, rules: PixelRules = PLAIN) -> Image.Image:
    """Decode a file, upright, as RGB or grey; DataError names it if that fails. ``look_at`` tells more."""
    return look_at(path, colour=colour, enough=enough, rules=rules)[0]


def look_at(
    path: Path | bytes, *, colour: bool, enough: int = 0, rules: PixelRules = PLAIN
) -> tuple[Image.Image, Conversion]:
    """A file, or the bytes of one, as an image, upright, RGB or grey, and what had to be decided of it; DataError names
    it if that fails.

    ``enough``: sides of that many pixels will do, which lets large JPEGs be decoded at a fraction of their size.
    """
    with opened(path) as image, ExitStack() as others:
        if enough:
            image.draft("RGB" if colour else "L", (enough, enough))
        return depict(image, colour=colour, rules=rules, again=lambda: others.enter_context(opened(path)))


@contextmanager
def opened(source: Path | bytes) -> Iterator[Image.Image]:
    """A file as an image whose header is read and whose pixels are not; DataError names it, whatever fails inside."""
    path = Path("the image") if isinstance(source, bytes) else source
    try:
        with _file(source) as file, Image.open(file, formats=_decoders()[0]) as image:
            yield image
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        most = f"more than the {(Image.MAX_IMAGE_PIXELS or 0) / 1e6:.4g} million that are decoded"
        ways = "scale it down first, or allow more by dataset.max_megapixels (of predict: --inference.max-megapixels)"
        raise DataError(f"{path}: not a readable image: its pixels are {most}; {ways}") from error
    except DataError as error:
        raise error if str(error).startswith(str(path)) else DataError(f"{path}: {error}") from error
    # Pillow's decoders raise nearly anything on damaged files (OSError, SyntaxError, ValueError, struct.error, …).
    except Exception as error:
        raise DataError(f"{path}: not a readable image: {_found(error)}{_lacks(path)}") from error


def _file(source: Path | bytes) -> IO[bytes]:
    # By a descriptor of a regular file: a named pipe would be waited for.
    return BytesIO(source) if isinstance(source, bytes) else os.fdopen(open_regular(source), "rb")


def _found(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):  # which names the opened file as Python sees it
        return "it is in no format that is known"
    return str(error) or type(error).__name__


def _lacks(path: Path) -> str:
    if path.suffix.lower() not in unreadable_suffixes():
        return ""
    what = "pillow-heif has one" if path.suffix.lower() in _HEIF else "this Pillow was built without"
    return f" (no decoder of such files is installed: {what})"


def image_size(path: Path | bytes) -> tuple[int, int]:
    """Width and height of a file or its bytes, upright, from its header; DataError names it if that fails."""
    with opened(path) as image:
        return upright_size(image)


def any_image(
    value: object, *, colour: bool, enough: int = 0, rules: PixelRules = PLAIN
) -> tuple[Image.Image, Conversion]:
    """What people ask about, as RGB or grey, and what had to be decided of it: a path, the bytes of a file, a PIL
    image, or an array uint8 [H,W], [H,W,3] or, with opacity, [H,W,4] (or nested lists).

    DataError says what else it is; ``enough`` as for ``look_at``.
    """
    if isinstance(value, (str, Path, bytes)):
        source = Path(value) if isinstance(value, str) else value
        return look_at(source, colour=colour, enough=enough, rules=rules)
    # An opened image may lie on its side as its file does: the same picture has the same answer.
    image = value if isinstance(value, Image.Image) else _from_array(value)
    with ExitStack() as others:
        name = getattr(image, "filename", "")  # of an opened image that is not decoded yet
        again = (lambda: others.enter_context(opened(Path(name)))) if name and Path(name).is_file() else None
        return depict(image, colour=colour, rules=rules, again=again)


def _from_array(value: object) -> Image.Image:
    try:
        pixels: npt.NDArray[np.generic] = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise DataError(f"an image's rows are equally long, and so are its pixels: {error}") from None
    whole = pixels.dtype.kind in "iu" and pixels.dtype != np.uint8 and pixels.size
    if whole and 0 <= pixels.min() <= pixels.max() < 256:
        pixels = pixels.astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] in (3, 4))):
        given = f"{pixels.dtype}{list(pixels.shape)}"
        raise DataError(f"an image is uint8 [H,W], [H,W,3] or [H,W,4], a PIL image or a path, not {given}")
    return Image.fromarray(np.ascontiguousarray(pixels))


def fitted(image: Image.Image, height: int, width: int, fit: Fit) -> npt.NDArray[np.uint8]:
    """An RGB or grey image as uint8 [C,H,W] at a size (bilinear, antialiased); one of that size is left as it is."""
    if image.size != (width, height):
        resize = ImageOps.fit if fit == "crop" else ImageOps.pad
        image = resize(image, (width, height), Image.Resampling.BILINEAR)
    pixels = np.array(image, np.uint8)
    return np.ascontiguousarray(np.moveaxis(pixels.reshape(height, width, -1), -1, 0))


def read_image(
    path: Path, height: int, width: int, *, colour: bool, fit: Fit = "crop", rules: PixelRules = PLAIN
) -> npt.NDArray[np.uint8]:
    """One file as uint8 [C,height,width]; DataError names it if it cannot be read."""
    return fitted(open_image(path, colour=colour, enough=max(height, width), rules=rules), height, width, fit)
