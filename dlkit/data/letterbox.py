"""How an image lies in another of a fixed size, and how boxes follow it there and back; no torch, no annotations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Corners = npt.NDArray[np.float32]
"""Boxes [M,4] as x1, y1, x2, y2 in pixels."""


@dataclass(frozen=True)
class Letterbox:
    """How an image of ``size`` (width, height) lies in another of ``into``: scaled until it fits, in the middle.

    The same geometry as ``fitted(…, "letterbox")``: sides are rounded to whole pixels, so the scale of the shorter side
    may differ from the other's by a fraction of a pixel over its length.
    """

    size: tuple[int, int]
    into: tuple[int, int]

    @property
    def inner(self) -> tuple[int, int]:
        """Width and height of the scaled image."""
        # Pillow's own arithmetic (ImageOps.contain), to the rounding: boxes and pixels must agree.
        (width, height), (full_width, full_height) = self.size, self.into
        if width / height > full_width / full_height:
            return full_width, max(1, round(height / width * full_width))
        return max(1, round(width / height * full_height)), full_height

    @property
    def corner(self) -> tuple[int, int]:
        """Where the scaled image begins: x, y."""
        inner = self.inner
        return round((self.into[0] - inner[0]) * 0.5), round((self.into[1] - inner[1]) * 0.5)

    def forth(self, boxes: npt.NDArray[np.floating]) -> Corners:
        """Boxes [M,4] in pixels of the image → in pixels of the letter-box."""
        scale, shift = self._affine()
        return (np.asarray(boxes, np.float64) * scale + shift).astype(np.float32)

    def back(self, boxes: npt.NDArray[np.floating]) -> Corners:
        """Boxes [M,4] in pixels of the letter-box → in pixels of the image, clipped to it."""
        scale, shift = self._affine()
        original = (np.asarray(boxes, np.float64) - shift) / scale
        return clip(original, *self.size)

    def place(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """An RGB or grey image (whole, or decoded at a fraction of ``size``) → uint8 [C,H,W], on black; bilinear."""
        # An image that already fits is left as it is, bit by bit: what was drawn at this size stays as it was drawn.
        if image.size != self.into:
            inner = image if image.size == self.inner else image.resize(self.inner, Image.Resampling.BILINEAR)
            image = Image.new(image.mode, self.into)
            image.paste(inner, self.corner)
        pixels = np.array(image, np.uint8)
        return np.ascontiguousarray(np.moveaxis(pixels.reshape(self.into[1], self.into[0], -1), -1, 0))

    def _affine(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        # In double precision: a box that goes there and back comes to the same corners.
        scale = np.array(self.inner, np.float64) / self.size
        return np.tile(scale, 2), np.tile(np.array(self.corner, np.float64), 2)


def clip(boxes: npt.NDArray[np.floating], width: float, height: float) -> Corners:
    """Boxes [M,4] cut off at the image's edges; one that lies outside becomes empty."""
    limits = np.array([width, height, width, height], np.float64)
    return np.clip(np.asarray(boxes, np.float64), 0, limits).astype(np.float32)
