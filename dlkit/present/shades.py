"""Colours for numbers: paper for nothing, ink for much; of numbers about 0, one colour each way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

Colour = tuple[int, int, int]

PAPER: Colour = (250, 249, 245)
MUCH: Colour = (230, 120, 0)
BELOW: Colour = (60, 130, 220)
"""Orange and blue: colour-blind people tell them apart. Black can be read on all three."""
BLACK: Colour = (0, 0, 0)
STANDS_OUT = 0.5
"""Where there are no colours, what lies beyond this share of the scale is marked."""


class Shade(NamedTuple):
    """A piece of text, and where its number lies: −1 to 1, None where it has none."""

    text: str
    part: float | None
    value: float

    @property
    def background(self) -> Colour | None:
        """What it is written on, in black; None: nothing of its own."""
        return None if self.part is None else mixed(self.part)

    @property
    def marked(self) -> str:
        """For where there are no colours: the text, with its number in brackets where that stands out."""
        if self.part is None or abs(self.part) < STANDS_OUT:
            return self.text
        head = self.text.rstrip()
        return f"{head}[{self.value:.2g}]{self.text[len(head) :]}"


def shades(pieces: Sequence[str], values: Sequence[float | str], limits: tuple[float, float]) -> Iterator[Shade]:
    """Each piece with its place on the scale. Numbers that are not finite may be text, as JSON has them."""
    for piece, told in zip(pieces, values, strict=True):
        value = float(told)
        yield Shade(piece, place(value, limits), value)


def place(value: float, limits: tuple[float, float]) -> float | None:
    """Where a number lies between the limits: 0 to 1; −1 to 1 where the lower one is below 0, 0 staying 0."""
    low, high = limits
    if not math.isfinite(value):
        return None
    if low < 0:
        reach = max(-low, high)
        return max(-1.0, min(1.0, value / reach))
    return max(0.0, min(1.0, (value - low) / (high - low))) if high > low else 0.0


def mixed(part: float) -> Colour:
    """The colour of a place on the scale."""
    ink = MUCH if part >= 0 else BELOW
    red, green, blue = (round(p + (i - p) * abs(part)) for p, i in zip(PAPER, ink, strict=True))
    return red, green, blue
