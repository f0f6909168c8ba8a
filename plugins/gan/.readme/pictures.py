"""Draws a README's picture of the first 64 seeds of a run: ``python pictures.py RUN_FOLDER NAME [CHECKPOINT]``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from dlkit.catalog import Catalog
from dlkit.runs.folder import RunFolder
from dlkit.samples import tile
from dlkit.use.load import load_predictor
from dlkit_gan.artist import Artist
from dlkit_gan.storage import ENCODING

COUNT, ACROSS = 64, 16
LARGE = 64
"""Images of this side are shown as they are, smaller ones at twice their size."""


def main() -> None:
    folder, name, *which = sys.argv[1:]
    artist = load_predictor(Catalog.load_everything(), RunFolder(Path(folder)), *which).predictor
    assert isinstance(artist, Artist)
    drawn = ENCODING.pixels(artist.drawn(artist.latents(range(COUNT))))
    picture = Image.fromarray(np.ascontiguousarray(tile(drawn, ACROSS)))
    if drawn.shape[1] < LARGE:
        picture = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.NEAREST)
    target = Path(__file__).parent / name
    if picture.mode == "RGB":
        picture.save(target.with_suffix(".jpg"), quality=88)
    else:
        picture.quantize(64).save(target.with_suffix(".png"), optimize=True)


if __name__ == "__main__":
    main()
