"""What detection's recipes reach: the commands as a user types them; chosen on validation, test looked at once a run.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_detection.py [NAME …] [--workspace DIR] [--build FOLDER]

Prints a row a recipe, with training seconds (from first to last step, evaluation apart). Runs are thrown away, but for
those in a ``--workspace DIR``, with the real data in its data/, where ``dlkit compare`` can look at them.
``photographs`` needs lfwcrop/ and hymenoptera/ beside mnist/: it pastes faces into photographs and writes them with VOC
XML, as people annotate images; ``--build FOLDER`` does that alone and keeps the folder.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

import dlkit
from common import data_folder, workspace
from dlkit.data.randomness import rng

Pixels = npt.NDArray[np.uint8]

RECIPES: dict[str, dict[str, Any]] = {
    "2 grid-lenet": {"model": "grid-lenet", "preset": "course"},
    "2 grid-relu": {"model": "grid-relu", "preset": "course"},
    "2 grid-wide": {"model": "grid-wide", "preset": "course"},
    "2 grid-wide fine": {"model": "grid-wide", "preset": "fine"},
    "2 pyramid": {"model": "pyramid", "preset": "course"},
    "10 pyramid": {"model": "pyramid", "preset": "ten"},
    "photographs": {"model": "pyramid", "preset": "photographs", "engine": {"epochs": 6, "batch_size": 32}},
}
COLUMNS = ("map", "map50", "accuracy", "iou")

SIDE = 160
"""Pixels of a picture's side."""
MOST = 4
SMALLEST, LARGEST = 24, 64
"""Sides of a face in pixels."""
PARTS = {"train": 3000, "val": 300, "test": 600}
TRIES = 30


def once(where: Path, name: str) -> str:
    """Train one recipe, look at test once, and say what came out."""
    arguments = dict(RECIPES[name])
    if name == "photographs":
        arguments["dataset"] = {"name": "files", "path": str(build_photographs(where / "photographs"))}
    finished: list[Any] = []
    run = dlkit.train("detection", workspace=where, offline=True, name=name, on_event=finished.append, **arguments)
    test = run.evaluate("test")
    values = " | ".join(f"{test[f'test/{column}']:.4f}" for column in COLUMNS)
    return f"| {name} | {run.metrics['val/map']:.4f} | {values} | {finished[-1].train_seconds:.0f} s |"


def build_photographs(folder: Path) -> Path:
    """Pictures of 160×160 with 0 to 4 faces, ``PART/NNNN.jpg`` and ``PART/NNNN.xml``; returns the folder.

    People, by the name in the file's name, and photographs are each in one part only.
    """
    faces, photographs = people(data_folder() / "lfwcrop" / "faces"), backgrounds(data_folder() / "hymenoptera")
    for part, count in PARTS.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            generator = rng(0, "photographs", part, i)
            picture = background(photographs[part], generator)
            boxes = paste(picture, faces[part], generator)
            Image.fromarray(picture).save(folder / part / f"{i:04}.jpg", quality=90)
            (folder / part / f"{i:04}.xml").write_text(voc(f"{i:04}.jpg", boxes))
    return folder


def people(folder: Path) -> dict[str, list[Path]]:
    """Faces of each part: a tenth of the people for validation, a fifth for the test, by a hash of their name."""
    parts: dict[str, list[Path]] = {part: [] for part in PARTS}
    for path in sorted(folder.glob("*.ppm")):
        person = path.stem.rpartition("_")[0]
        share = hashlib.sha256(person.encode()).digest()[0] / 256
        parts["val" if share < 0.1 else "test" if share < 0.3 else "train"].append(path)
    return parts


def backgrounds(folder: Path) -> dict[str, list[Path]]:
    """Of each part: hymenoptera's training photographs, an eighth of them for validation; the others for the test."""
    train, test = (sorted((folder / part).rglob("*.jpg")) for part in ("train", "val"))
    return {"train": [p for i, p in enumerate(train) if i % 8], "val": train[::8], "test": test}


def background(photographs: Sequence[Path], generator: np.random.Generator) -> Pixels:
    """A random square of a photograph, as large as can be or half as large, mirrored or not."""
    with Image.open(photographs[generator.integers(len(photographs))]) as image:
        photograph = image.convert("RGB")
    side = int(min(photograph.size) * generator.uniform(0.5, 1))
    x, y = (int(generator.integers(0, whole - side + 1)) for whole in photograph.size)
    cut = photograph.resize((SIDE, SIDE), Image.Resampling.BILINEAR, (x, y, x + side, y + side))
    pixels = np.asarray(cut)
    return np.array(pixels[:, ::-1] if generator.random() < 0.5 else pixels)


def paste(picture: Pixels, faces: Sequence[Path], generator: np.random.Generator) -> list[tuple[int, int, int, int]]:
    """Blend faces into a picture, none over another; returns their boxes, those of the ellipses that are blended."""
    boxes: list[tuple[int, int, int, int]] = []
    for _ in range(generator.integers(0, MOST + 1)):
        side = int(generator.integers(SMALLEST, LARGEST + 1))
        with Image.open(faces[generator.integers(len(faces))]) as image:
            face = np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR), np.float32)
        face = (face - 127) * generator.uniform(0.7, 1.1) + 127 + generator.uniform(-30, 30)
        mask = ellipse(side)
        for _ in range(TRIES):
            x, y = (int(generator.integers(0, SIDE - side + 1)) for _ in range(2))
            if all(x >= x2 or x + side <= x1 or y >= y2 or y + side <= y1 for x1, y1, x2, y2 in boxes):
                area = picture[y : y + side, x : x + side]
                area[...] = (mask * face + (1 - mask) * area).round().clip(0, 255)
                boxes.append((x, y, x + side, y + side))
                break
    return boxes


def ellipse(side: int) -> npt.NDArray[np.float32]:
    """How much of a face shows at each pixel [side,side,1]: a disk that fills the square, its edge soft."""
    y, x = np.mgrid[:side, :side]
    inside = ((x - (side - 1) / 2) ** 2 + (y - (side - 1) / 2) ** 2) < (0.48 * side) ** 2
    soft = Image.fromarray((inside * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(side / 32))
    return (np.asarray(soft, np.float32) / 255)[..., None]


def voc(name: str, boxes: Sequence[tuple[int, int, int, int]]) -> str:
    objects = "".join(
        f"<object><name>face</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
        "</bndbox></object>"
        for x1, y1, x2, y2 in boxes
    )
    size = f"<size><width>{SIDE}</width><height>{SIDE}</height><depth>3</depth></size>"
    return f"<annotation><filename>{name}</filename>{size}{objects}</annotation>\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(RECIPES))
    parser.add_argument("--build", type=Path, help="build the photographs there, and train nothing")
    parser.add_argument("--workspace", type=Path, help="train there, and keep the runs")
    options = parser.parse_args()
    if options.build:
        print(build_photographs(options.build))
        return
    print(f"| recipe | val mAP | {' | '.join(f'test {column}' for column in COLUMNS)} | training |")
    with nullcontext(options.workspace) if options.workspace else workspace() as where:
        for name in options.names:
            print(once(where, name), flush=True)


if __name__ == "__main__":
    main()
