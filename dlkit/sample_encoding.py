"""What samples are stored as: images as PNG, exactly; the rest as strict JSON. Many images as one picture."""

from __future__ import annotations

import dataclasses
import io
import math
from collections.abc import Callable, Mapping
from typing import TypedDict

import numpy as np
import numpy.typing as npt

PIXELS = 1 << 27
"""Most values of a stored image, three a pixel: 24 images of 1 000 by 1 000 pixels have 72 million."""


def tile(images: npt.NDArray[np.uint8], columns: int, gap: int = 1) -> npt.NDArray[np.uint8]:
    """Images [N,H,W(,3)] as one picture, ``columns`` wide, ``gap`` mid-grey pixels between them."""
    count, height, width = images.shape[:3]
    rows = -(-count // columns)
    shape = (rows * (height + gap) - gap, min(columns, count) * (width + gap) - gap, *images.shape[3:])
    picture = np.full(shape, 128, np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * (height + gap), i % columns * (width + gap)
        picture[y : y + height, x : x + width] = image
    return picture


class StoredImage(TypedDict):
    """An image in a sample's JSON: the PNG beside it, and the shape that the PNG's rows are to have again."""

    file: str
    shape: list[int]


def encoded_image(image: npt.NDArray[np.uint8]) -> bytes:
    """As a PNG; a stack [N,H,W(,3)] is laid one below the other, so that it comes back exactly."""
    from PIL import Image

    shape = list(image.shape)
    grey = image.ndim == 2 or (image.ndim == 3 and image.shape[-1] != 3)
    tall = image.reshape(-1, shape[-1]) if grey else image.reshape(-1, *shape[-2:])
    made = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(tall)).save(made, "PNG")
    return made.getvalue()


def decoded_image(read: Callable[[str], bytes], stored: StoredImage) -> npt.NDArray[np.uint8]:
    from PIL import Image

    with Image.open(io.BytesIO(read(stored["file"])), formats=("PNG",)) as image:
        values = image.width * image.height * len(image.getbands())
        # Before it is unpacked: a PNG of one colour takes a thousandth of the memory that its pixels take.
        if values > PIXELS or values != math.prod(stored["shape"]):
            raise ValueError(f"{stored['file']}: {image.width} x {image.height} is not of shape {stored['shape']}")
        return np.asarray(image, np.uint8).reshape(stored["shape"])


def plain(value: object) -> object:
    """Strict JSON: arrays and NumPy numbers as Python's, a non-finite number as the string nan, inf or -inf."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value
