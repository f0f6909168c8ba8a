"""Curves as values, what they cover, and what happened on their way; no drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dlkit.tui.chart.look import Extent
from dlkit.tui.chart.thin import Floats, Numbers


@dataclass(frozen=True, eq=False)
class Heat:
    """Distributions in place of values: ``shares`` [N,B], 0 to 1, of B equal parts from ``low`` to ``high``, which are
    logarithms to base 10 if ``decades``."""

    shares: Floats
    low: float
    high: float
    decades: bool = False


@dataclass(frozen=True, eq=False)
class Line:
    """A curve: ``x`` ascending and ``y`` as many, never changed in place. ``key`` is the letter that stands at its end
    and in the legend, none where there is but one line; ``colour`` is its place in the palette. ``band``: from where to
    where its values spread, as many as ``y`` each; ``heat``: of what ``y`` is but the middle, and what is drawn. Values
    up to ``since`` are those of the run that this one branched off from."""

    name: str
    x: Numbers
    y: Floats
    key: str = ""
    colour: int = 0
    band: tuple[Floats, Floats] | None = None
    heat: Heat | None = None
    since: float | None = None

    def same(self, other: Line) -> bool:
        """Whether it looks the same, without comparing points."""
        mine, others = (
            (self.name, self.key, self.colour, self.since),
            (other.name, other.key, other.colour, other.since),
        )
        pairs = (self.x, other.x), (self.y, other.y), (self.band, other.band), (self.heat, other.heat)
        return all(a is b for a, b in pairs) and mine == others

    def at(self, x: float) -> int:
        """The last point not beyond x; −1 if there is none."""
        return int(np.searchsorted(self.x, x, "right")) - 1


class Mark(NamedTuple):
    """Something that happened at x: its ``kind`` is one of ``marks.SIGNS``, ``text`` says it in a few words."""

    x: float
    kind: str
    text: str


def extent_of(lines: Sequence[Line]) -> Extent:
    """What the lines cover together."""
    there = [line for line in lines if len(line.x)]
    if not there:
        return Extent()
    first, last = min(float(line.x[0]) for line in there), max(float(line.x[-1]) for line in there)
    places = [(line, int(np.searchsorted(line.x, 0, "right"))) for line in there]
    positive = min((float(line.x[i]) for line, i in places if i < len(line.x)), default=1.0)
    return Extent(first, last, max(len(line.x) for line in there), positive)
