"""Words in pictures: in a font of the system's that has most letters, else in Pillow's own, which has ASCII."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TypeAlias

from PIL import ImageFont

from dlkit.plain_letters import PLAIN

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont
LETTER = 14
"""Pixels that a letter is high."""
_NAMES = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf")


@cache
def font(size: int = LETTER) -> Font:
    for name in _NAMES:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def letters(text: str) -> str:
    """What ``font`` can write of a text."""
    return text if isinstance(getattr(font(), "path", None), str) else bare(text)  # Pillow's own is no file


def bare(text: str) -> str:
    """What Pillow's own font can write: letters without their accents, and signs that look alike."""
    if text.isascii():
        return text
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return plain.encode("ascii", PLAIN).decode()


def cut(text: str, width: float, size: int = LETTER) -> str:
    """A line that is no wider than so many pixels."""
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text}..."
