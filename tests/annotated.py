"""Annotated images for tests: coloured rectangles on noise, written as Pascal VOC or COCO."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Object = tuple[str, float, float, float, float]
"""A class and the corners x1, y1, x2, y2."""


def picture(path: Path, width: int, height: int, objects: Sequence[Object] = ()) -> Path:
    """An image with each object's area filled."""
    pixels = np.random.default_rng(width * height).integers(0, 60, (height, width, 3), dtype=np.uint8)
    for number, (_, x1, y1, x2, y2) in enumerate(objects):
        pixels[max(0, round(y1)) : max(0, round(y2)), max(0, round(x1)) : max(0, round(x2))] = 200 - 40 * number
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def voc_xml(filename: str, width: int, height: int, objects: Sequence[Object]) -> str:
    boxes = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x1:g}</xmin><ymin>{y1:g}</ymin>"
        f"<xmax>{x2:g}</xmax><ymax>{y2:g}</ymax></bndbox></object>"
        for name, x1, y1, x2, y2 in objects
    )
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><filename>{filename}</filename>{size}{boxes}</annotation>"


def voc(folder: Path, name: str, objects: Sequence[Object], width: int = 40, height: int = 30) -> Path:
    """``folder/name.png`` and ``folder/name.xml``; returns the XML file."""
    picture(folder / f"{name}.png", width, height, objects)
    file = folder / f"{name}.xml"
    file.write_text(voc_xml(f"{name}.png", width, height, objects))
    return file


def coco(file: Path, images: dict[str, Sequence[Object]], width: int = 40, height: int = 30) -> Path:
    """A COCO file, with its images beside it."""
    names = sorted({item[0] for objects in images.values() for item in objects})
    records: list[dict[str, Any]] = []
    for number, (name, objects) in enumerate(images.items()):
        picture(file.parent / name, width, height, objects)
        for label, x1, y1, x2, y2 in objects:
            box = [x1, y1, x2 - x1, y2 - y1]
            records.append({"id": len(records), "image_id": number, "category_id": names.index(label) + 1, "bbox": box})
    content = {
        "images": [{"id": i, "file_name": n, "width": width, "height": height} for i, n in enumerate(images)],
        "annotations": records,
        "categories": [{"id": i, "name": name} for i, name in enumerate(names, 1)],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return file
