"""An example of the pictures that ``files`` reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from dlkit.data.example import Example
from dlkit.data.examples import SHAPES, drawn
from dlkit.data.seeds import rng


def write(folder: Path) -> Example:
    """A picture of three shapes, and one of coloured waves."""
    content, _ = drawn(rng(0, "example"), 96, SHAPES)
    Image.fromarray(content).save(folder / "content.png")
    down, right = np.mgrid[:96, :96] / 6
    waves = np.stack([np.sin(down + np.sin(right)), np.sin(down - right), np.cos(right + np.sin(down))], -1)
    Image.fromarray(((waves + 1) * 127.5).astype(np.uint8)).save(folder / "style.png")
    files = {"content.png": "what is painted", "style.png": "as what it is painted; several, with commas between"}
    return Example({"content": str(folder / "content.png"), "style": [str(folder / "style.png")]}, files)
