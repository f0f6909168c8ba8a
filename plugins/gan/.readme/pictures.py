"""Draws a README's picture of 64 images that a run draws: ``python pictures.py RUN_FOLDER NAME [CHECKPOINT]``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from dlkit.catalog import Catalog
from dlkit.inference.load import load_predictor
from dlkit.runs.folder import RunFolder
from dlkit.samples import tile
from dlkit_gan.artist import Artist
from dlkit_gan.storage import ENCODING

COUNT, ACROSS, SCALE = 64, 16, 2


def main() -> None:
    folder, name, *which = sys.argv[1:]
    artist = load_predictor(Catalog.load_everything(), RunFolder(Path(folder)), *which).predictor
    assert isinstance(artist, Artist)
    drawn = ENCODING.pixels(artist.drawn(artist.latents(range(COUNT))))
    picture = Image.fromarray(np.ascontiguousarray(tile(drawn, ACROSS)))
    large = picture.resize((picture.width * SCALE, picture.height * SCALE), Image.Resampling.NEAREST)
    large.quantize(64).save(Path(__file__).parent / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
