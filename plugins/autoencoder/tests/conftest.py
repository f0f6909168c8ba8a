"""Fixtures of this plugin's tests: images on disk, and real data where there is some."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlkit.data.context import Context
from dlkit.data.known import LFWCROP, MNIST


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A workspace without any source."""
    return Context(tmp_path / "data", {"mnist": MNIST, "lfwcrop": LFWCROP}, offline=True)


@pytest.fixture
def real() -> Callable[[str], Context]:
    """``real("mnist")``: real data, or the test is skipped with the reason."""

    def there(name: str) -> Context:
        root = os.environ.get("DLKIT_TEST_DATA")
        if not root:
            pytest.skip("DLKIT_TEST_DATA is not set")
        if not (Path(root) / name).is_dir():
            pytest.skip(f"DLKIT_TEST_DATA lacks {name}")
        return Context(Path(root), {"mnist": MNIST, "lfwcrop": LFWCROP}, offline=True)

    return there


@pytest.fixture
def discs(tmp_path: Path) -> Callable[..., Path]:
    """``discs("images", 30)``: that many images of one coloured disc each, on black, at a place of its own."""

    def make(folder: str = "images", count: int = 30, width: int = 20, height: int = 16, suffix: str = "png") -> Path:
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        for i in range(count):
            Image.fromarray(disc(i, width, height)).save(place / f"{i:03}.{suffix}")
        return place

    return make


def disc(seed: int, width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """uint8 [height,width,3]."""
    rng = np.random.default_rng(seed)
    x, y, radius = rng.uniform(width * 0.3, width * 0.7), rng.uniform(height * 0.3, height * 0.7), rng.uniform(3, 5)
    inside = np.hypot(np.arange(width) - x, (np.arange(height) - y)[:, None]) < radius
    return (inside[..., None] * rng.uniform(90, 255, 3)).astype(np.uint8)
