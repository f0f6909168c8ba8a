"""Distributions as pictures, and read from such pictures again: how activations and gradients change over time is seen
in the samples of a run, without a second record of them."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dlkit.samples import Images

Floats = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]

ACTIVATIONS, GRADIENTS = "layers-activations", "layers-gradients"
"""Names of the samples that hold such pictures, a layer each."""
WIDTH, HEIGHT = 48, 20
"""Pixels of a picture of one distribution; a terminal shows it in as many columns, and half as many lines."""
DECADES = (-9, 1)
"""Of a gradient's size: 1e-9 to 10. What is smaller is drawn at the left edge, what is larger at the right."""
_BACKGROUND, _AXIS = (24, 24, 28), (80, 80, 88)
_CAPTION = re.compile(r"(.*) (?:±(\S+)|\S+)")


class Spread(NamedTuple):
    """How often values occur, ``shares`` [WIDTH] from 0 to 1 (square roots of counts), between two values."""

    name: str
    shares: Floats
    low: float
    high: float

    @property
    def median(self) -> float:
        """The middle of the part that half of the values reach; NaN where there are none."""
        counts = np.cumsum(self.shares**2)
        part = int((counts < counts[-1] / 2).sum())
        return self.low + (part + 0.5) / len(self.shares) * (self.high - self.low) if counts[-1] > 0 else math.nan

    def between(self, edges: Floats) -> Floats:
        """[len(edges) − 1] the greatest share in each part of another axis: one that is narrow stays to be seen."""
        parts = (edges - self.low) / (self.high - self.low) * len(self.shares)
        found = np.zeros(len(edges) - 1)
        for place, (a, b) in enumerate(pairwise(parts.tolist())):
            first, last = max(0, math.floor(a + 1e-9)), min(len(self.shares), math.ceil(b - 1e-9))
            if first < last:
                found[place] = self.shares[first:last].max()
        return found


def captioned(name: str, reach: float) -> str:
    """What stands at a distribution that goes as far on either side of 0."""
    return f"{name} ±{reach:.2g}"


def histogram(values: Floats, limits: tuple[float, float], colour: tuple[int, int, int], *, axis: float) -> Picture:
    """Bars [HEIGHT,WIDTH,3] of how often values occur, the highest reaching the top; ``axis``: where a line stands, as
    a share of the width."""
    low, high = limits
    picture = np.full((HEIGHT, WIDTH, 3), _BACKGROUND, np.uint8)
    picture[:, min(WIDTH - 1, int(axis * WIDTH))] = _AXIS
    if not len(values):
        return picture
    if low >= high:  # all values are equal
        low, high = low - 1.0, high + 1.0
    counts, _ = np.histogram(np.clip(values, low, high), WIDTH, (low, high))
    # Square roots: one full bin (the zeros of a ReLU) would press all others flat.
    bars = np.ceil(np.sqrt(counts / counts.max()) * HEIGHT).astype(int)
    picture[np.arange(HEIGHT)[:, None] >= HEIGHT - bars[None]] = colour
    return picture


def spreads(sample: Images) -> list[Spread]:
    """The distributions that were drawn, as far as their pictures tell; none of a sample of something else."""
    found = []
    for image, caption in zip(sample.images, sample.captions, strict=False):
        match = _CAPTION.fullmatch(caption)
        if match is None or image.shape != (HEIGHT, WIDTH, 3):
            continue
        low, high = (-float(match[2]), float(match[2])) if match[2] else DECADES
        nothing = (image == _BACKGROUND).all(2) | (image == _AXIS).all(2)
        if low < high:
            found.append(Spread(match[1], (~nothing).sum(0) / HEIGHT, low, high))
    return found
