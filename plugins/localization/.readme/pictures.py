"""Draws the README's pictures from a run on MNIST's canvases: ``python pictures.py RUN_FOLDER``.

``found.png``: validation canvases as they come, ``worst.png``: the worst of 2,000, both with the true box (green) and
the model's (yellow where it is right, red and dashed where it is not).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from dlkit.catalog import Catalog
from dlkit.data.context import Context
from dlkit.data.drawing import draw_boxes
from dlkit.data.randomness import forked
from dlkit.runs.folder import RunFolder
from dlkit.samples import Box, Boxes, tile
from dlkit.use.load import load_predictor, validation_split
from dlkit_localization.localizer import Localizer

HERE = Path(__file__).parent
SCALE, ACROSS, SHOWN = 6, 4, 8


def drawn(sample: Boxes) -> npt.NDArray[np.uint8]:
    """A sample enlarged, so that its boxes and labels can be read."""
    height, width = sample.image.shape[:2]
    large = Image.fromarray(sample.image).resize((width * SCALE, height * SCALE), Image.Resampling.NEAREST)
    boxes = [
        Box(corners=tuple(side * SCALE for side in box.corners), label=box.label, score=box.score, role=box.role)  # type: ignore[arg-type]
        for box in sample.boxes
        if box.role != "true" or len(sample.boxes) == 1 or sample.title.startswith("wrong")
    ]
    return np.asarray(draw_boxes(large, boxes))


def save(name: str, samples: list[Boxes]) -> None:
    picture = Image.fromarray(tile(np.stack([drawn(sample) for sample in samples]), ACROSS, gap=4))
    picture.quantize(128).save(HERE / name, optimize=True)


def main() -> None:
    run = RunFolder(Path(sys.argv[1]))
    catalog = Catalog.load_everything()
    loaded = load_predictor(catalog, run)
    sources = {source.name: source for source in catalog.specs("source")}
    context = Context(run.path.parent.parent / "data", sources, offline=True)
    split = validation_split(catalog, loaded, context)
    assert split is not None
    assert isinstance(loaded.predictor, Localizer)
    with forked(0, "sample") as generator:
        worst = loaded.predictor.samples(SHOWN, generator, split)
        chosen = torch.from_numpy(generator.permutation(len(split))[:SHOWN])
        save("worst.png", [sample for sample in worst if isinstance(sample, Boxes)])
        save("found.png", loaded.predictor.compared(chosen, split))


if __name__ == "__main__":
    main()
