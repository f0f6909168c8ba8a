"""What a picture becomes for the model, and back: things stay where they were."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dlkit.data.images import fitted
from dlkit_autoencoder.geometry import Fitting

SIZE = 32


def smooth(width: int, height: int) -> Image.Image:
    """Brightness rises to the right and downwards."""
    pixels = np.linspace(0, 120, width)[None] + np.linspace(0, 120, height)[:, None]
    return Image.fromarray(pixels.astype(np.uint8))


@given(width=st.integers(16, 200), height=st.integers(16, 200), fit=st.sampled_from(["crop", "letterbox"]))
def test_there_and_back_is_nearly_nothing(width: int, height: int, fit: Literal["crop", "letterbox"]) -> None:
    original = smooth(width, height)
    picture = Image.fromarray(fitted(original, SIZE, SIZE, fit)[0])
    back = Fitting((width, height), (SIZE, SIZE), fit).back(picture)
    if fit == "letterbox":
        assert back.size == original.size
        expected = original
    else:
        side = min(width, height)
        assert back.size == (side, side)
        left, top = (width - side) // 2, (height - side) // 2
        expected = original.crop((left, top, left + side, top + side))
    edge = max(3, max(back.size) // 8)  # at the edge, black of the letterbox and half pixels come in
    inside = np.s_[edge:-edge, edge:-edge]
    difference = np.asarray(back, float)[inside] - np.asarray(expected, float)[inside]
    assert difference.size == 0 or np.abs(difference).mean() < 8


@pytest.mark.parametrize(
    ("original", "fit", "text"),
    [
        ((32, 32), "crop", ""),
        ((64, 64), "crop", "32x32"),
        ((64, 48), "crop", "32x32, its middle"),
        ((64, 48), "letterbox", "32x32, on black"),
    ],
)
def test_it_is_said(original: tuple[int, int], fit: Literal["crop", "letterbox"], text: str) -> None:
    fitting = Fitting(original, (SIZE, SIZE), fit)
    assert fitting.text == text
    if not text:
        picture = smooth(SIZE, SIZE)
        assert fitting.back(picture) is picture
