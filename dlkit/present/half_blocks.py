"""Pixels as characters: two rows a line, the upper one's colour on the lower one's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def rgb(image: Pixels) -> Pixels:
    """[H,W] or [H,W,3] → [H,W,3]."""
    return np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image


def fitted(image: Pixels, width: int, height: int | None = None) -> Pixels:
    """[H,W,3], made smaller by averaging until it is no wider, and no higher, than so many pixels."""
    found = image.shape[:2]
    factor = min(1.0, width / max(1, found[1]), 1.0 if height is None else height / max(1, found[0]))
    if factor == 1.0:
        return image
    from PIL import Image

    size = max(1, round(found[1] * factor)), max(1, round(found[0] * factor))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX), np.uint8)


def half_blocks(image: Pixels) -> list[str]:
    """A picture [H,W,3] as lines: ▀ in the upper pixel's colour on the lower one's, black below an odd last row."""
    if len(image) % 2:
        image = np.concatenate([image, np.zeros_like(image[:1])])
    return [
        "".join(_half_block(*pair) for pair in zip(upper, lower, strict=True)) + "\x1b[0m"
        for upper, lower in zip(image[::2].tolist(), image[1::2].tolist(), strict=True)
    ]


def _half_block(upper: Sequence[int], lower: Sequence[int]) -> str:
    return "\x1b[38;2;{};{};{};48;2;{};{};{}m▀".format(*upper, *lower)
