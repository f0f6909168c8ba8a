"""What attention looked at: weights as a picture, words beside their rows and columns; and as a table of words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from dlkit.samples import Table

CELL, SIZE, GAP = 22, 13, 4
"""Pixels of a weight's side, of a letter's height, and around words."""
BESIDES, LEAST = 4, 0.05
"""Words that a row names at most, and the share from which on one is named besides the first."""
MANY, SMALL_CELL, SMALL_SIZE = 32, 13, 10
"""Of more words than that, a weight's side and a letter's height."""


def heat_map(weights: npt.NDArray[np.float32], rows: Sequence[str], columns: Sequence[str]) -> npt.NDArray[np.uint8]:
    """weights [rows,columns] in [0, 1] as cells, white the most, their words at the left and above: uint8 [H,W]."""
    side, size = (CELL, SIZE) if max(len(rows), len(columns)) <= MANY else (SMALL_CELL, SMALL_SIZE)
    font = ImageFont.load_default(size)
    left = max((_width(word, font) for word in rows), default=0) + 2 * GAP
    top = max((_width(word, font) for word in columns), default=0) + 2 * GAP
    cells = np.kron(np.rint(255 * np.clip(weights, 0, 1)), np.ones((side, side))).astype(np.uint8)
    picture = Image.new("L", (left + cells.shape[1], top + cells.shape[0]))
    picture.paste(Image.fromarray(cells), (left, top))
    for number, word in enumerate(rows):
        picture.paste(_label(word, font, left, side), (0, top + number * side))
    for number, word in enumerate(columns):
        picture.paste(_label(word, font, top, side).transpose(Image.Transpose.ROTATE_90), (left + number * side, 0))
    return np.asarray(picture)


def heat_words(
    name: str, title: str, weights: npt.NDArray[np.float32], rows: Sequence[str], columns: Sequence[str]
) -> Table:
    """The same to be read: each row's word, the one that it looks at most with its share, and what it looks at besides.

    weights [rows,columns] ≥ 0; shares are of a row's sum.
    """
    # A row of padding has no sum to divide by.
    shares = weights / np.maximum(weights.sum(1, keepdims=True), 1e-12)
    told = []
    for word, row in zip(rows, shares, strict=True):
        # Stable: of equal shares the earlier word comes first, on every machine.
        first, *others = (int(place) for place in np.argsort(-row, kind="stable")[:BESIDES])
        besides = [f"{_read(columns[place])} {row[place]:.0%}" for place in others if row[place] >= LEAST]
        told.append([_read(word), _read(columns[first]), f"{row[first]:.0%}", ", ".join(besides)])
    return Table(name=name, title=title, headers=["written", "looks at", "share", "besides"], rows=told)


def _read(word: str) -> str:
    """A token as a word that can be seen: blanks around it stand for themselves."""
    return word.replace("▁", " ").strip(" ").replace("\n", "\\n") or "(blank)"


def _width(word: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    return round(font.getlength(_plain(word)))


def _label(word: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int, height: int) -> Image.Image:
    label = Image.new("L", (width, height))
    size = SIZE if height == CELL else SMALL_SIZE
    ImageDraw.Draw(label).text((GAP, (height - size) // 2), _plain(word), 220, font)
    return label


def _plain(word: str) -> str:
    """sentencepiece's sign for a blank is in few fonts, and a line end in none."""
    return word.replace("▁", "_").replace("∎", ".").replace("\n", "\\n")
