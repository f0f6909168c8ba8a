"""Examples of the forms of data that several plugins read: folders of images, images with boxes, texts, tables.

``DatasetSpec.example`` names one as ``dlkit.data.examples:class_images``. A generator of a fixed seed draws them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from dlkit.data.example import Example
from dlkit.data.seeds import rng
from dlkit.data.text.corpus import python_docs

SHAPES = ("disc", "ring", "square")
Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]
_LETTERS = 60_000
"""Of the text: some ten thousand words, with enough of each common one."""


def class_images(folder: Path) -> Example:
    """A folder a class, 24 colour images of 32 × 32 pixels in each."""
    for number, shape in enumerate(SHAPES):
        (folder / shape).mkdir()
        for index in range(24):
            picture, _ = drawn(rng(0, "example", number, index), 32, [shape])
            Image.fromarray(picture).save(folder / shape / f"{index:03}.png")
    files = {f"{shape}/": f"images of the class {shape!r}, which is the folder's name" for shape in SHAPES}
    return Example({"path": str(folder)}, files)


def images(folder: Path) -> Example:
    """64 colour images of 64 × 64 pixels, without classes."""
    (folder / "images").mkdir()
    for index in range(64):
        picture, _ = drawn(rng(0, "example", index), 64, [SHAPES[index % len(SHAPES)]])
        Image.fromarray(picture).save(folder / "images" / f"{index:03}.png")
    return Example({"path": str(folder)}, {"images/": "images; they may lie at any depth"})


def photographs(folder: Path) -> Example:
    """Two larger images."""
    for name, seed in (("first.png", 1), ("second.png", 2)):
        picture, _ = drawn(rng(0, "example", seed), 64, SHAPES)
        Image.fromarray(picture).save(folder / name)
    return Example({"path": str(folder)}, {"first.png": "an image", "second.png": "another one, the last in order"})


def boxed_images(folder: Path) -> Example:
    """48 images of 64 × 64 pixels with one to three objects each, and COCO's JSON."""
    return _boxed(folder, most=3)


def boxed_image_of_one(folder: Path) -> Example:
    """48 images of 64 × 64 pixels with one object each, and COCO's JSON."""
    return _boxed(folder, most=1)


def text(folder: Path) -> Example:
    """The beginning of the text that comes with Python."""
    (folder / "text.txt").write_text("\n\n".join(python_docs())[:_LETTERS], encoding="utf-8")
    return Example({"path": str(folder)}, {"text.txt": "text in UTF-8; several files are one text, by their names"})


def _boxed(folder: Path, most: int) -> Example:
    (folder / "images").mkdir()
    records, objects = [], list[dict[str, object]]()
    for index in range(48):
        generator = rng(0, "example", index)
        # The first goes round the kinds, so that each is in every part, however the images are divided.
        shapes = [SHAPES[index % len(SHAPES)], *generator.choice(SHAPES, size=index % most)]
        picture, boxes = drawn(generator, 64, shapes)
        name = f"{index:03}.png"
        Image.fromarray(picture).save(folder / "images" / name)
        records.append({"id": index, "file_name": name, "width": 64, "height": 64})
        for shape, (left, top, width, height) in zip(shapes, boxes, strict=True):
            found = {"category_id": SHAPES.index(shape), "bbox": [left, top, width, height], "area": width * height}
            objects.append({"id": len(objects), "image_id": index, "iscrowd": 0, **found})
    categories = [{"id": number, "name": shape} for number, shape in enumerate(SHAPES)]
    document = {"images": records, "annotations": objects, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    what = "COCO's JSON: which images there are, and where on them is what: [left, top, width, height] in pixels"
    return Example({"path": str(folder)}, {"images/": "the images", "annotations.json": what})


def drawn(generator: np.random.Generator, side: int, shapes: Sequence[str]) -> tuple[Pixels, list[Box]]:
    """An image uint8 [side,side,3] of shapes that do not overlap, dark on a light and noisy ground, and their boxes as
    (left, top, width, height)."""
    # Every channel's noise stays above what shapes are drawn in: a threshold would find them, and so does any network.
    picture = generator.integers(190, 256, (side, side, 3))
    boxes = []
    for (left, top, cell), shape in zip(_cells(generator, side, len(shapes)), shapes, strict=True):
        size = int(generator.integers(max(5, cell // 2), cell))
        left, top = (int(start + generator.integers(0, cell - size + 1)) for start in (left, top))
        picture[top : top + size, left : left + size][_mask(shape, size)] = generator.integers(0, 110, 3)
        boxes.append((left, top, size, size))
    return picture.astype(np.uint8), boxes


def _cells(generator: np.random.Generator, side: int, count: int) -> Iterator[tuple[int, int, int]]:
    """Squares of a grid, one for each of so many shapes: left, top, side."""
    # Boxes that overlap would hide part of an object, which annotations of an example had better not explain.
    across = int(np.ceil(np.sqrt(count)))
    cell = side // across
    for place in generator.permutation(across * across)[:count]:
        yield int(place % across) * cell, int(place // across) * cell, cell


def _mask(shape: str, size: int) -> npt.NDArray[np.bool_]:
    """Which pixels of a square [size,size] a shape covers; it touches all four sides."""
    if shape == "square":
        return np.ones((size, size), bool)
    away = np.hypot(*(np.mgrid[:size, :size] - (size - 1) / 2))
    return np.asarray((away <= size / 2) & ((shape == "disc") | (away > size / 4)))
