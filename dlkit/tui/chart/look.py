"""How charts are looked at: which part of the x axis, where the cursor is, how smooth. Values, and what keys make of
them; no widget."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from dlkit.tui.chart.smooth import LEVELS


class Extent(NamedTuple):
    """All there is on the x axis: from the first to the last, and how many points the longest line has.

    ``positive`` is the first that a log axis has a place for.
    """

    first: float = 0.0
    last: float = 1.0
    points: int = 0
    positive: float = 1.0


@dataclass(frozen=True)
class Look:
    """``window`` None: everything. A window at the end of the axis ``follows`` it while it grows."""

    window: tuple[float, float] | None = None
    follows: bool = False
    cursor: float | None = None
    level: int = 0
    log_x: bool = False

    @property
    def weight(self) -> float:
        """Of the smoothing; 0 is none."""
        return LEVELS[self.level]

    def span(self, extent: Extent) -> tuple[float, float]:
        """What is to be seen, always of some width."""
        first, last = self._whole(extent)
        if self.window is None:
            return first, last
        x0, x1 = self.window
        if self.follows and x1 < last:
            x0, x1 = (x0 * last / x1, last) if self.log_x else (x0 + last - x1, last)
        return (max(x0, first), x1) if self.log_x else (x0, x1)

    def zoomed(self, extent: Extent, times: float, around: float | None = None) -> Look:
        """``times`` as wide, ``around`` (the cursor, if it can be seen, or the middle) staying in its place."""
        a, b = (self._to(x) for x in self.span(extent))
        visible = self.cursor is not None and a <= self._to(self.cursor) <= b
        if around is None:
            around = self.cursor if visible and self.cursor is not None else self._from((a + b) / 2)
        middle = self._to(around)
        return self.selected(
            extent, self._from(middle - (middle - a) * times), self._from(middle + (b - middle) * times)
        )

    def selected(self, extent: Extent, x0: float, x1: float) -> Look:
        """From x0 to x1, as far as there is something; never narrower than a few points."""
        first, last = (self._to(x) for x in self._whole(extent))
        a, b = sorted((self._to(x0), self._to(x1)))
        least = (last - first) / max(4.0, extent.points / 4)
        if b - a < least:
            a, b = (a + b) / 2 - least / 2, (a + b) / 2 + least / 2
        if b - a >= (last - first) * (1 - 1e-9):
            return replace(self, window=None, follows=False)
        shift = max(0.0, first - a) - max(0.0, b - last)
        a, b = a + shift, b + shift
        return replace(self, window=(self._from(a), self._from(b)), follows=b >= last - 1e-9 * (last - first))

    def panned(self, extent: Extent, share: float) -> Look:
        """Along by a share of what is seen."""
        if self.window is None:
            return self
        a, b = (self._to(x) for x in self.span(extent))
        by = share * (b - a)
        return self.selected(extent, self._from(a + by), self._from(b + by))

    def showing(self, extent: Extent, x: float) -> Look:
        """Panned so far that x can be seen."""
        if self.window is None:
            return self
        a, b = (self._to(value) for value in self.span(extent))
        at = self._to(x)
        by = min(0.0, at - a) + max(0.0, at - b)
        return self.selected(extent, self._from(a + by), self._from(b + by)) if by else self

    def place(self, extent: Extent, x: float) -> float:
        """Where x lies in what is seen: 0 is the left end, 1 the right."""
        a, b = (self._to(value) for value in self.span(extent))
        return (self._to(x) - a) / (b - a)

    def at(self, extent: Extent, place: float) -> float:
        """The x at such a place."""
        a, b = (self._to(value) for value in self.span(extent))
        return self._from(a + place * (b - a))

    def smoother(self, by: int) -> Look:
        """The next level; after the last comes none."""
        return replace(self, level=(self.level + by) % len(LEVELS))

    def _whole(self, extent: Extent) -> tuple[float, float]:
        first = extent.positive if self.log_x else extent.first
        if extent.last > first:
            return first, extent.last
        return (first / 2, first * 2) if self.log_x else (first - 1, first + 1)

    def _to(self, x: float) -> float:
        return math.log10(max(x, 1e-300)) if self.log_x else x

    def _from(self, x: float) -> float:
        return 10.0**x if self.log_x else x
