"""Fixtures of this plugin's tests: images on disk, and real data where there is some."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlkit.data.context import Context
from dlkit.data.known import MNIST
from dlkit_classification.sources import CIFAR10

COLOURS = {"blue": (20, 30, 220), "green": (30, 200, 40), "red": (210, 20, 30)}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """For data sets that need no source."""
    return Context(tmp_path / "data", offline=True)


@pytest.fixture
def real() -> Context:
    """Real data, or the test is skipped with the reason."""
    root = os.environ.get("DLKIT_TEST_DATA")
    if not root:
        pytest.skip("DLKIT_TEST_DATA is not set")
    absent = [name for name in ("mnist", "cifar10") if not (Path(root) / name).is_dir()]
    if absent:
        pytest.skip(f"DLKIT_TEST_DATA lacks {', '.join(absent)}")
    return Context(Path(root), {"mnist": MNIST, "cifar10": CIFAR10}, offline=True)


@pytest.fixture
def coloured(tmp_path: Path) -> Callable[..., Path]:
    """``coloured("train", red=10, green=5)``: a folder per class of noisy PNGs of that colour, of various sizes."""

    def make(folder: str = "images", **counts: int) -> Path:
        generator = np.random.default_rng(0)
        for name, count in counts.items():
            place = tmp_path / folder / name
            place.mkdir(parents=True, exist_ok=True)
            for i in range(count):
                shape = (*generator.integers(12, 40, 2), 3)
                pixels = np.clip(COLOURS[name] + generator.normal(0, 20, shape), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{i:03}.png")
        return tmp_path / folder

    return make
