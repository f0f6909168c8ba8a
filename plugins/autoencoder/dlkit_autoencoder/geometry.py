"""From an original of any size to the model's picture and back to the original's resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PIL import Image

from dlkit.data.letterbox import Letterbox

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class Fitting:
    """How an ``original`` became a picture of ``size`` (``dlkit.data.images.fitted``)."""

    original: Size
    size: Size
    fit: Literal["crop", "letterbox"]

    @property
    def text(self) -> str:
        """What was done, for people; empty: nothing."""
        if self.original == self.size:
            return ""
        whole = self._scale * self.original[0] == self.size[0] and self._scale * self.original[1] == self.size[1]
        how = "" if whole else {"crop": ", its middle", "letterbox": ", on black"}[self.fit]
        return f"{self.size[0]}x{self.size[1]}{how}"

    def back(self, picture: Image.Image) -> Image.Image:
        """The part of the original that is on a picture of ``size``, at the original's resolution (bicubic)."""
        if self.original == self.size:
            return picture
        if self.fit == "crop":
            seen = (max(1, round(self.size[0] / self._scale)), max(1, round(self.size[1] / self._scale)))
            return picture.resize(seen, Image.Resampling.BICUBIC)
        across, down = (side * self._scale for side in self.original)
        left, top = (self.size[0] - across) / 2, (self.size[1] - down) / 2
        return picture.resize(self.original, Image.Resampling.BICUBIC, box=(left, top, left + across, top + down))

    @property
    def _scale(self) -> float:
        across, down = (to / of for to, of in zip(self.size, self.original, strict=True))
        return max(across, down) if self.fit == "crop" else min(across, down)


def inside(original: Size, size: Size, fit: Literal["crop", "letterbox"]) -> tuple[slice, slice]:
    """Rows and columns that an image takes of a picture of ``size``; what is beside it is black, of negatives too."""
    if fit != "letterbox":
        return slice(None), slice(None)
    geometry = Letterbox(original, size)
    (x, y), (width, height) = geometry.corner, geometry.inner
    return slice(y, y + height), slice(x, x + width)
