"""Folders of images, and reading an image at a given size.

Pixels are uint8 [C,H,W], C = 1 (grey) or 3 (RGB). Training data and what people hand a trained model go through the
same functions, so a model sees both alike.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from dlkit.bounded import open_regular
from dlkit.data.files import visible_files
from dlkit.data.unusable import attempt_all, left_out
from dlkit.errors import DataError

Fit = Literal["crop", "letterbox"]
"""``crop``: scaled until it covers the size, the middle kept; ``letterbox``: scaled until it fits, on black."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""All that is opened as an image, whatever a file is called: Pillow knows forty more, of which it runs Ghostscript for
one, and most of which nobody has looked at for long."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"})
_ORIENTATION = 0x0112
"""EXIF's tag for how an image is turned."""
_ON_ITS_SIDE = (5, 6, 7, 8)
"""Orientations under which width and height change places."""

# A file of a few kB may decode to gigabytes: refused as soon as its header is read, not warned about. Once, for the
# whole process: a filter of ``catch_warnings`` is every thread's, and images are read by several.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


@dataclass(frozen=True)
class ImageFolder:
    """Images sorted by class: ``labels[i]`` is the index in ``classes`` of ``paths[i]``'s class."""

    classes: list[str]
    paths: list[Path]
    labels: list[int]

    def __iter__(self) -> Iterator[tuple[Path, str]]:
        return ((path, self.classes[label]) for path, label in zip(self.paths, self.labels, strict=True))

    def __len__(self) -> int:
        return len(self.paths)


def image_files(folder: Path) -> list[Path]:
    """The images in a folder and below it, by suffix, sorted by path; hidden ones left out."""
    # By suffix: else every file would have to be opened, and those that are not images passed over in silence.
    return visible_files(folder, SUFFIXES)


def named_images(arguments: Sequence[str]) -> list[Path]:
    """The files that somebody names, and those in the folders named; DataError for what is missing or empty."""
    found: list[Path] = []
    for path in map(Path, arguments):
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        inside = image_files(path) if path.is_dir() else [path]
        if not inside:
            raise DataError(f"{path}: holds no images")
        found += inside
    return found


def class_folders(root: Path, classes: Sequence[str] | None = None) -> ImageFolder:
    """A folder per class, images in it or deeper. Classes are the folders' names, sorted.

    With ``classes`` given (those of the training split) labels are theirs, and another folder is refused. DataError if
    there is no folder per class, a class has no image, or the root is missing.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    names = sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not names:
        raise DataError(f"{root}: holds no folder per class (ROOT/CLASS/image.png)")
    strange = [name for name in names if classes is not None and name not in classes]
    if strange:
        raise DataError(f"{root}: unknown classes {', '.join(strange)}; there are: {', '.join(classes or ())}")
    known = list(classes) if classes is not None else names
    files = {name: image_files(root / name) for name in names}
    empty = [name for name, paths in files.items() if not paths]
    if empty:
        raise DataError(f"{root}: no images in {', '.join(empty)} (known suffixes: {', '.join(sorted(SUFFIXES))})")
    paths = [path for name in names for path in files[name]]
    return ImageFolder(known, paths, [known.index(name) for name in names for _ in files[name]])


def open_image(path: Path, *, colour: bool, enough: int = 0) -> Image.Image:
    """Decode a file, upright, as RGB or grey; DataError names it if that fails.

    ``enough``: sides of that many pixels will do, which lets large JPEGs be decoded at a fraction of their size.
    """
    with opened(path) as image:
        if enough:
            image.draft("RGB" if colour else "L", (enough, enough))
        return as_pixels(ImageOps.exif_transpose(image), colour=colour)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A file as an image whose header is read and whose pixels are not; DataError names it, whatever fails inside."""
    try:
        # By a descriptor of a regular file: a named pipe would be waited for.
        with os.fdopen(open_regular(path), "rb") as file, Image.open(file, formats=FORMATS) as image:
            yield image
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        most = f"more than the {(Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} million that are decoded"
        raise DataError(f"{path}: not a readable image: its pixels are {most}; scale it down first") from error
    # Pillow's decoders raise nearly anything on damaged files (OSError, SyntaxError, ValueError, struct.error, …).
    except Exception as error:
        raise DataError(f"{path}: not a readable image: {str(error) or type(error).__name__}") from error


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of a file, upright, from its header; DataError names it if that fails."""
    with opened(path) as image:
        # Not image.getexif(): for a PNG without EXIF in its header, that decodes all of it to look at its end.
        turned = Image.Image.getexif(image).get(_ORIENTATION) in _ON_ITS_SIDE
        return (image.height, image.width) if turned else image.size


def any_image(value: object, *, colour: bool, enough: int = 0) -> Image.Image:
    """What people ask about, as RGB or grey: a path, a PIL image, or an array uint8 [H,W] or [H,W,3] (or nested lists).

    DataError says what else it is; ``enough`` as for ``open_image``.
    """
    if isinstance(value, (str, Path)):
        return open_image(Path(value), colour=colour, enough=enough)
    return as_pixels(value if isinstance(value, Image.Image) else _from_array(value), colour=colour)


def _from_array(value: object) -> Image.Image:
    pixels: npt.NDArray[np.generic] = np.asarray(value)
    whole = pixels.dtype.kind in "iu" and pixels.dtype != np.uint8 and pixels.size
    if whole and 0 <= pixels.min() <= pixels.max() < 256:
        pixels = pixels.astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] == 3)):
        raise DataError(
            f"an image is uint8 [H,W] or [H,W,3], a PIL image or a path, not {pixels.dtype}{list(pixels.shape)}"
        )
    return Image.fromarray(np.ascontiguousarray(pixels))


def as_pixels(image: Image.Image, *, colour: bool) -> Image.Image:
    """An image in mode RGB or L, whatever its own; 16-bit grey is scaled to 8, transparency dropped."""
    # Pillow's own conversion clips 16 bits to 255 and leaves a white image.
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image, np.int64).clip(0, 65535) >> 8).astype(np.uint8))
    # Through RGBA: straight to RGB, Pillow warns of every image that gives its transparency in bytes.
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("RGB" if colour else "L")


def fitted(image: Image.Image, height: int, width: int, fit: Fit) -> npt.NDArray[np.uint8]:
    """An RGB or grey image as uint8 [C,H,W] at a size (bilinear, antialiased); one of that size is left as it is."""
    if image.size != (width, height):
        resize = ImageOps.fit if fit == "crop" else ImageOps.pad
        image = resize(image, (width, height), Image.Resampling.BILINEAR)
    pixels = np.array(image, np.uint8)
    return np.ascontiguousarray(np.moveaxis(pixels.reshape(height, width, -1), -1, 0))


def read_image(path: Path, height: int, width: int, *, colour: bool, fit: Fit = "crop") -> npt.NDArray[np.uint8]:
    """One file as uint8 [C,height,width]; DataError names it if it cannot be read."""
    image = open_image(path, colour=colour, enough=max(height, width))
    return fitted(image, height, width, fit)


def read_images(
    paths: Sequence[Path], height: int, width: int, *, colour: bool, fit: Fit = "crop"
) -> tuple[npt.NDArray[np.uint8], dict[int, str]]:
    """Many files as uint8 [N,C,height,width], straight into one array, and what failed: index → reason.

    Rows of failed files are zero: the caller leaves them out or raises (``read_usable`` does).
    """
    images = np.zeros((len(paths), 3 if colour else 1, height, width), np.uint8)

    def read(i: int) -> None:
        images[i] = read_image(paths[i], height, width, colour=colour, fit=fit)

    results = attempt_all(read, range(len(paths)))
    return images, {i: str(failure) for i, failure in enumerate(results) if failure is not None}


def read_usable(
    paths: Sequence[Path], height: int, width: int, *, colour: bool, fit: Fit, skip: bool
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], list[str]]:
    """The files that can be read, uint8 [K,C,height,width], their places in ``paths`` int64 [K], and notes.

    DataError names those that cannot, unless ``skip`` says to leave them out; and if none is left.
    """
    images, failed = read_images(paths, height, width, colour=colour, fit=fit)
    notes = left_out(
        f"{len(failed)} of {len(paths)} images cannot be read",
        list(failed.values()),
        skip=skip,
        option="dataset.skip_unreadable",
    )
    kept = np.setdiff1d(np.arange(len(paths)), list(failed))
    if not len(kept):
        raise DataError("\n".join([*notes, "none is left"]))
    return (images[kept] if failed else images), kept, notes
