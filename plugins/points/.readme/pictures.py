"""Draws the README's pictures from runs of the commands that stand beside them: ``python pictures.py [WORKSPACE]``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import dlkit
from dlkit.present.plane_pixels import painted
from dlkit.samples import Images, Plane, tile

WIDTH, GAP = 420, 6


def sampled(
    workspace: Path, checkpoint: str = "last", asked: dict[str, Any] | None = None, **run: Any
) -> dict[str, Any]:
    """The samples of a run by name."""
    found = dlkit.train("points", workspace=workspace, **run)
    predictor = found.predictor(checkpoint=checkpoint, **(asked or {}))
    return {sample.name: sample for sample in predictor.samples(24, np.random.default_rng(0), None)}


def beside(*planes: Plane, width: int = WIDTH) -> Image.Image:
    """Several pictures in a row."""
    drawn = [painted(plane, width) for plane in planes]
    gap = np.full((len(drawn[0]), GAP, 3), 255, np.uint8)
    parts = [part for picture in drawn for part in (picture, gap)][:-1]
    return Image.fromarray(np.concatenate(parts, axis=1))


def main() -> None:
    folder = Path(__file__).parent
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        spiral = sampled(workspace)
        units: Images = spiral["units"]
        ways = [
            sampled(workspace, dataset={"name": "blobs", "classes": 2, "noise": 0.9}, model="logistic", preset=preset)[
                "surface"
            ]
            for preset in ("batch", "mini-batch", "stochastic")
        ]
        xor = [sampled(workspace, dataset="xor", model=model)["regions"] for model in ("perceptron", "logistic", "mlp")]
        gate = [sampled(workspace, dataset="or", model=model)["surface"] for model in ("perceptron", "logistic")]
        pictures = {
            "spiral": beside(spiral["regions"], width=640),
            "units": Image.fromarray(np.repeat(np.repeat(tile(units.images, 8), 2, 0), 2, 1)),
            "ways": beside(*ways, width=300),
            "xor": beside(*xor, width=300),
            "step": beside(*gate),
        }
    for name, picture in pictures.items():
        picture.quantize(128).save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
