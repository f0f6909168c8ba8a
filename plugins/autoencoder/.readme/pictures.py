"""Draws the README's pictures from three runs' folders: ``python pictures.py CONVOLUTIONAL DENOISING VARIATIONAL``.

``reconstructions.png`` and ``denoised.png``: validation images by chance; ``new.png``: new digits above walks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from dlkit.catalog import Catalog
from dlkit.data.context import Context
from dlkit.data.randomness import forked
from dlkit.runs.folder import RunFolder
from dlkit.samples import Images, tile
from dlkit.use.load import load_predictor, validation_split

HERE = Path(__file__).parent
SCALE = 3


def samples(folder: str) -> dict[str, Images]:
    """What ``dlkit sample RUN -n 32`` shows, by name."""
    run, catalog = RunFolder(Path(folder)), Catalog.load_everything()
    loaded = load_predictor(catalog, run)
    sources = {source.name: source for source in catalog.specs("source")}
    split = validation_split(catalog, loaded, Context(run.path.parent.parent / "data", sources, offline=True))
    assert split is not None
    with forked(0, "sample") as generator:
        made = loaded.predictor.samples(32, generator, split)
    return {sample.name: sample for sample in made if isinstance(sample, Images)}


def save(name: str, *shown: Images) -> None:
    """Grids one below the other, enlarged."""
    grids = [tile(sample.images, sample.columns) for sample in shown]
    gap = np.full((6, grids[0].shape[1]), 255, np.uint8)
    stack = np.concatenate([part for grid in grids for part in (grid, gap)][:-1])
    size = (stack.shape[1] * SCALE, stack.shape[0] * SCALE)
    Image.fromarray(stack).resize(size, Image.Resampling.NEAREST).quantize(64).save(HERE / name, optimize=True)


def main() -> None:
    convolutional, denoising, variational = map(samples, sys.argv[1:4])
    save("reconstructions.png", convolutional["typical"])
    save("denoised.png", denoising["typical"])
    save("new.png", variational["random"], variational["walk"])


if __name__ == "__main__":
    main()
