"""Fixtures of this plugin's tests: annotated images on disk, a stand-in for a trained model, and real data."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from dlkit.data.context import Context
from dlkit.data.known import MNIST

COLOURS = {"blue": (20, 30, 220), "green": (30, 200, 40), "red": (210, 20, 30)}
Object = tuple[str, float, float, float, float]


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
    if not (Path(root) / "mnist").is_dir():
        pytest.skip("DLKIT_TEST_DATA lacks mnist")
    return Context(Path(root), {"mnist": MNIST}, offline=True)


def write_image(path: Path, width: int, height: int, objects: Sequence[Object]) -> None:
    """Coloured rectangles on dark noise."""
    pixels = np.random.default_rng(width * height).integers(0, 30, (height, width, 3), dtype=np.uint8)
    for name, x1, y1, x2, y2 in objects:
        pixels[round(max(0, y1)) : round(max(0, y2)), round(max(0, x1)) : round(max(0, x2))] = COLOURS[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def save_image() -> Callable[..., None]:
    """``save_image(path, width, height, objects)``."""
    return write_image


@pytest.fixture
def annotated(tmp_path: Path) -> Callable[..., Path]:
    """``annotated("train/1", [("red", 2, 3, 20, 30)], 50, 40)``: an image and its VOC XML; returns the top folder."""

    def make(name: str, objects: Sequence[Object], width: int = 50, height: int = 40) -> Path:
        path = tmp_path / "images" / f"{name}.png"
        write_image(path, width, height, objects)
        boxes = "".join(
            f"<object><name>{label}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
            "</bndbox></object>"
            for label, x1, y1, x2, y2 in objects
        )
        size = f"<size><width>{width}</width><height>{height}</height></size>"
        text = f"<annotation><filename>{path.name}</filename>{size}{boxes}</annotation>"
        path.with_suffix(".xml").write_text(text)
        return tmp_path / "images"

    return make


@pytest.fixture
def scenes(annotated: Callable[..., Path]) -> Callable[[int], Path]:
    """``scenes(20)``: that many images of 50×40 with one to three coloured rectangles that do not touch."""

    def make(count: int) -> Path:
        generator = np.random.default_rng(1)
        for i in range(count):
            objects = []
            for slot in generator.permutation(3)[: generator.integers(1, 4)]:
                width, height = generator.integers(10, 15, 2)
                x, y = 16 * slot + generator.integers(0, 2), generator.integers(0, 40 - height)
                name = list(COLOURS)[generator.integers(3)]
                objects.append((name, float(x), float(y), float(x + width), float(y + height)))
            root = annotated(f"{i:03}", objects)
        return root

    return make


class ByColour(nn.Module):
    """Finds the rectangle of each colour by thresholds: the model that the images of ``scenes`` need.

    Its places are the classes: at each, the bounds of its colour's pixels, and a score of 0.9 where there are some.
    """

    def __init__(self, info: object) -> None:
        super().__init__()
        self.mean = torch.as_tensor(info.mean).view(-1, 1, 1)  # type: ignore[attr-defined]
        self.std = torch.as_tensor(info.std).view(-1, 1, 1)  # type: ignore[attr-defined]
        self.seen: list[Tensor] = []

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        self.seen.append(image)
        pixels = (image * self.std + self.mean) * 255
        boxes, scores = torch.zeros(len(image), 3, 4), torch.zeros(len(image), 3, 3)
        for place, channel in enumerate((2, 1, 0)):
            bright = (pixels[:, channel] > 120) & (pixels.amax(1) == pixels[:, channel])
            for i, mask in enumerate(bright):
                if mask.any():
                    rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
                    boxes[i, place] = torch.tensor([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
                    scores[i, place, place] = 0.9
        return {"boxes": boxes, "scores": scores}


@pytest.fixture
def by_colour() -> type[ByColour]:
    """``by_colour(info)``: a model."""
    return ByColour
