"""Fixtures of this plugin's tests: pictures on disk, weights of a small size, runs of a second."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def pictures(tmp_path: Path) -> Callable[..., Path]:
    """``pictures("a.png", (80, 60))``: a file of waves, of another kind for every name."""

    def make(name: str, size: tuple[int, int] = (80, 60)) -> Path:
        generator = np.random.default_rng(list(name.encode()))
        y, x = np.mgrid[: size[1], : size[0]]
        waves = [np.sin(x * a + y * b) * 100 + 128 for a, b in generator.uniform(-0.8, 0.8, (3, 2))]
        path = tmp_path / name
        Image.fromarray(np.stack(waves, -1).astype(np.uint8)).save(path)
        return path

    return make


@pytest.fixture
def real() -> Path:
    """The folder of real data, or the test is skipped with the reason."""
    root = os.environ.get("DLKIT_TEST_DATA")
    if not root:
        pytest.skip("DLKIT_TEST_DATA is not set")
    absent = [name for name in ("squeezenet1_1", "style") if not (Path(root) / name).is_dir()]
    if absent:
        pytest.skip(f"DLKIT_TEST_DATA lacks {', '.join(absent)}")
    return Path(root)
