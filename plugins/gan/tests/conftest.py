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
    """For data sets that need no source."""
    return Context(tmp_path / "data", offline=True)


@pytest.fixture
def real() -> Path:
    """The folder of real data, or the test is skipped with the reason."""
    root = os.environ.get("DLKIT_TEST_DATA")
    if not root:
        pytest.skip("DLKIT_TEST_DATA is not set")
    absent = [name for name in (MNIST.name, LFWCROP.name) if not (Path(root) / name).is_dir()]
    if absent:
        pytest.skip(f"DLKIT_TEST_DATA lacks {', '.join(absent)}")
    return Path(root)


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``photographs(40, size=(40, 36))``: a folder of so many PNGs, bright above and dark below, with noise."""

    def make(count: int, size: tuple[int, int] = (40, 36)) -> Path:
        generator = np.random.default_rng(0)
        folder = tmp_path_factory.mktemp("photographs")
        ramp = np.linspace(220, 30, size[1])[:, None, None]
        for i in range(count):
            pixels = np.clip(ramp + generator.normal(0, 20, (size[1], size[0], 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{i:03}.png")
        return folder

    return make
