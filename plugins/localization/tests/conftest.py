"""Fixtures of this plugin's tests: annotated images on disk, and real data where there is some."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlkit.data.context import Context
from dlkit.data.known import MNIST

COLOURS = {"blue": (20, 30, 220), "green": (30, 200, 40), "red": (210, 20, 30)}

Object = tuple[str, float, float, float, float]
"""A class and the corners x1, y1, x2, y2."""


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """For data sets that need no source."""
    return Context(tmp_path / "data", {"mnist": MNIST}, offline=True)


@pytest.fixture
def real() -> Context:
    """Real data, or the test is skipped with the reason."""
    root = os.environ.get("DLKIT_TEST_DATA")
    if not root:
        pytest.skip("DLKIT_TEST_DATA is not set")
    if not (Path(root) / "mnist").is_dir():
        pytest.skip("DLKIT_TEST_DATA lacks mnist")
    return Context(Path(root), {"mnist": MNIST}, offline=True)


@pytest.fixture
def annotate(tmp_path: Path) -> Callable[..., Path]:
    """``annotate("folder", "name", [("red", 1, 2, 9, 8)])``: a grey PNG with coloured areas and its VOC file."""

    def make(folder: str, name: str, objects: Sequence[Object] = (), width: int = 40, height: int = 30) -> Path:
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        pixels = np.full((height, width, 3), 90, np.uint8)
        for colour, x1, y1, x2, y2 in objects:
            pixels[max(0, round(y1)) : round(y2), max(0, round(x1)) : round(x2)] = COLOURS.get(colour, (255, 255, 255))
        Image.fromarray(pixels).save(place / f"{name}.png")
        (place / f"{name}.xml").write_text(voc(f"{name}.png", width, height, objects))
        return place

    return make


@pytest.fixture
def coloured(annotate: Callable[..., Path]) -> Callable[..., Path]:
    """``coloured("images", 30)``: that many images of various sizes with one coloured area, or (every fifth) none."""

    def make(folder: str = "images", count: int = 30) -> Path:
        generator, root = np.random.default_rng(0), Path()
        for i in range(count):
            width, height = generator.integers(30, 60, 2).tolist()
            x1, y1 = int(generator.integers(0, width - 16)), int(generator.integers(0, height - 16))
            across, down = generator.integers(8, 16, 2).tolist()
            objects = [] if i % 5 == 4 else [(sorted(COLOURS)[i % 3], x1, y1, x1 + across, y1 + down)]
            root = annotate(folder, f"{i:03}", objects, width, height)
        return root

    return make


def voc(image: str, width: int, height: int, objects: Sequence[Object]) -> str:
    """Pascal VOC's XML of one image."""
    boxes = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
        "</bndbox></object>"
        for name, x1, y1, x2, y2 in objects
    )
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><filename>{image}</filename>{size}{boxes}</annotation>"
