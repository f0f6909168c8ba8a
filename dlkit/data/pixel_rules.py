"""Which colour is behind what is transparent, and what is black and white among values of more than 8 bits. No Pillow:
``info`` is of these, and options.

Files hardly ever say what their white is: a camera's 12 bits lie in 16, a program writes 0 … 255 as floats. So the
range of the values is taken from their type where they fill it, is guessed from the values where they do not, and a
guess is a thing to be said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["16-bit", "32-bit", "float"]
Range = tuple[float, float]
"""What becomes black, and what becomes white."""
DROP = "drop"
"""The background of those who take the colour that a transparent pixel happens to have: usually black."""

BY_TYPE: Mapping[Kind, Range] = {"16-bit": (0, 65535), "32-bit": (0, 65535), "float": (0, 255)}
"""``value_range = "type"``."""
_WHITES = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16, 24, 31, 32))
"""What integers that are called 16-bit or 32-bit usually reach at most."""
_FLOAT_WHITES = (255, 65535)
_HIGH_FLOATS = 16
"""Largest value up to which floats are not 0 … 255 that happen to be dark: a little above 1 is resampling, or light."""

_BOUNDS = re.compile(r"(?P<low>-?[\d.]+)\.\.(?P<high>-?[\d.]+)\Z")
Origin = Literal["option", "type", "file", "training", "guess"]
"""Who says what a range is."""


@dataclass(frozen=True)
class PixelRules:
    """How images become pixels.

    background   what transparent pixels lie on: ``white``, ``black``, ``grey``, ``#rrggbb``; ``drop``: on nothing
    value_range  what is black and white among values of more than 8 bits: ``LOW..HIGH``, ``type`` (0 … 65535, of floats
                 0 … 255) or ``auto``: by ``ranges``, else by the values themselves
    ranges       the range of each kind that is known already: of training images, for all others
    """

    background: str = "white"
    value_range: str = "auto"
    ranges: Mapping[Kind, Range] = field(default_factory=dict)

    def span(self, kind: Kind, low: float, high: float, declared: Range | None = None) -> tuple[Range, Origin]:
        """The range that holds for values of a kind that reach from ``low`` to ``high``, and who says so; ``declared``:
        what their file says."""
        bounds = _BOUNDS.match(self.value_range)
        if bounds:
            return (float(bounds["low"]), float(bounds["high"])), "option"
        if self.value_range == "type":
            return BY_TYPE[kind], "type"
        if declared:
            return declared, "file"
        if kind in self.ranges:
            return self.ranges[kind], "training"
        return guessed(kind, low, high), "guess"


PLAIN = PixelRules()
"""Those that hold where nobody says otherwise."""
BEFORE = PixelRules(DROP, "type")
"""What was done before there were any."""


def guessed(kind: Kind, low: float, high: float) -> Range:
    """The range of values of which the lowest and highest are these."""
    if low < 0:
        return (-1, 1) if kind == "float" and low >= -1 and high <= 1 else (low, high)
    if kind != "float":
        return 0, next(white for white in _WHITES if white >= high)
    # All integers up to 1, 255 or 65535 are floats too: only how large they get tells what somebody meant.
    if high <= 1:
        return 0, 1
    if high <= _HIGH_FLOATS:
        return 0, high
    return 0, next((white for white in _FLOAT_WHITES if white >= high), high)
