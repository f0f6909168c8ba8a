"""The colours of lines: eight that people tell apart, colour-blind or not, on a dark ground and on a light one."""

from __future__ import annotations

DARK = ("#1ed2e1", "#ff7800", "#fff087", "#b487ff", "#ffa5a5", "#a5ffe1", "#3cb45a", "#b4d24b")
LIGHT = ("#004bff", "#c3004b", "#0f6900", "#a500c3", "#4b0f5a", "#78001e", "#000f96", "#693c87")
"""A line's place is its colour; after the last comes the first again, and the letters tell such lines apart.

Found by search: in OKLab, times 100, any two lie 12 apart or more, and 8 where a cone is missing (Machado et al. 2009);
all have a contrast of 4.5 or more on the ground of every theme that is dark, or light."""
COUNT = len(DARK)


def colour(place: int, *, dark: bool) -> str:
    """Of the line at a place, as #rrggbb."""
    return (DARK if dark else LIGHT)[place % COUNT]
