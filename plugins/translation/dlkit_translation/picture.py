"""Attention weights as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

CELL, SIZE, GAP = 22, 13, 4
"""Pixels of a weight's side, of a letter's height, and around words."""


def heat_map(weights: npt.NDArray[np.float32], rows: Sequence[str], columns: Sequence[str]) -> npt.NDArray[np.uint8]:
    """weights [rows,columns] in [0, 1] as cells, white the most, their words at the left and above: uint8 [H,W]."""
    font = ImageFont.load_default(SIZE)
    side = max((_width(word, font) for word in rows), default=0) + 2 * GAP
    top = max((_width(word, font) for word in columns), default=0) + 2 * GAP
    cells = np.kron(np.rint(255 * np.clip(weights, 0, 1)), np.ones((CELL, CELL))).astype(np.uint8)
    picture = Image.new("L", (side + cells.shape[1], top + cells.shape[0]))
    picture.paste(Image.fromarray(cells), (side, top))
    for number, word in enumerate(rows):
        picture.paste(_label(word, font, side), (0, top + number * CELL))
    for number, word in enumerate(columns):
        picture.paste(_label(word, font, top).transpose(Image.Transpose.ROTATE_90), (side + number * CELL, 0))
    return np.asarray(picture)


def _width(word: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    return round(font.getlength(_plain(word)))


def _label(word: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> Image.Image:
    label = Image.new("L", (width, CELL))
    ImageDraw.Draw(label).text((GAP, (CELL - SIZE) // 2), _plain(word), 220, font)
    return label


def _plain(word: str) -> str:
    """sentencepiece's sign for a blank is in few fonts."""
    return word.replace("▁", "_").replace("∎", ".")
