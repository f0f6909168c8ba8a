"""Random flips, crops and cutouts of whole batches on the device."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from dlkit.data.augment import coin, pick_pixels
from dlkit.data.splits import Augment, Batch
from dlkit.errors import UsageError
from dlkit_classification.options import Augmentation

Drawn = npt.NDArray[np.bool_ | np.int64 | np.float32]
"""What is drawn for each image of a batch."""


class FlipCropCutout(Augment):
    """Mirror left and right with probability ½, shift by up to ``crop`` pixels, blank a square of ``cutout`` pixels.

    A shift is a random crop from the image padded by ``crop`` on all sides: mirrored at the border (``reflect``) or
    with zeros, which in normalised images are the mean (``zero``). Flip and shift are one look-up. Cutout: DeVries and
    Taylor 2017, arXiv 1708.04552, with the square inside the image and the mean as its colour. Before all of it,
    enlarge a random part, wherever it lies, by a factor from 1 to ``zoom``, even in its logarithm.
    """

    def __init__(
        self, height: int, width: int, *, flip: bool, crop: int, padding: str, cutout: int, zoom: float = 1.0
    ) -> None:
        self.size = height, width
        self.flip, self.crop, self.padding, self.cutout, self.zoom = flip, crop, padding, cutout, zoom

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, Drawn]:
        """``flip`` bool [count]; ``shift`` int64 [count,2], y and x in ±crop; ``corner`` int64 [count,2], y and x;
        ``part`` float32 [count,3]: the side of the part that is enlarged, as a share of the image's, and where its
        middle lies, y and x from −1 to 1."""
        height, width = self.size
        drawn: dict[str, Drawn] = {}
        if self.flip:
            drawn["flip"] = coin(rng, count)
        if self.crop:
            drawn["shift"] = rng.integers(-self.crop, self.crop, (count, 2), endpoint=True)
        if self.cutout:
            corners = height - self.cutout + 1, width - self.cutout + 1
            drawn["corner"] = rng.integers(0, corners, (count, 2))
        if self.zoom > 1:
            share = self.zoom ** -rng.random((count, 1))
            drawn["part"] = np.concatenate([share, (1 - share) * rng.uniform(-1, 1, (count, 2))], 1).astype(np.float32)
        return drawn

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        image = batch["image"]
        if "part" in drawn:
            image = _enlarged(image, drawn["part"])
        if "flip" in drawn or "shift" in drawn:
            image = self._moved(image, drawn)
        if "corner" in drawn:
            image = image.masked_fill(self._square(drawn["corner"]), 0)
        return {**batch, "image": image}

    def _moved(self, image: Tensor, drawn: Batch) -> Tensor:
        """Every pixel from its source, by its row [N,H] and its column [N,W]."""
        (height, width), count = self.size, len(image)
        rows = torch.arange(height, device=image.device).expand(count, -1)
        columns = torch.arange(width, device=image.device).expand(count, -1)
        if "flip" in drawn:
            columns = torch.where(drawn["flip"][:, None], width - 1 - columns, columns)
        if "shift" in drawn:
            rows, columns = rows + drawn["shift"][:, :1], columns + drawn["shift"][:, 1:]
        source_rows, source_columns = self._inside(rows, height), self._inside(columns, width)
        moved = pick_pixels(image, source_rows, source_columns)
        if "shift" in drawn and self.padding == "zero":
            beyond = (rows != source_rows)[:, None, :, None] | (columns != source_columns)[:, None, None, :]
            moved.masked_fill_(beyond, 0)
        return moved

    def _inside(self, position: Tensor, size: int) -> Tensor:
        """Positions beyond the border, mirrored at it (reflect) or at it (zero, to be masked)."""
        if self.padding == "zero" or not self.crop:
            return position.clamp(0, size - 1)
        return (size - 1) - ((size - 1) - position.abs()).abs()

    def _square(self, corner: Tensor) -> Tensor:
        """bool [N,1,H,W], true inside each image's square."""
        inside = []
        for axis, size in enumerate(self.size):
            position = torch.arange(size, device=corner.device)
            first = corner[:, axis, None]
            inside.append((position >= first) & (position < first + self.cutout))
        return inside[0][:, None, :, None] & inside[1][:, None, None, :]


def _enlarged(image: Tensor, part: Tensor) -> Tensor:
    """A square part of each image, by its side and its middle [N,3], in the place of the whole."""
    share, y, x = part.to(image.dtype).unbind(1)
    nothing = torch.zeros_like(share)
    rows = torch.stack([share, nothing, x], 1), torch.stack([nothing, share, y], 1)
    grid = functional.affine_grid(torch.stack(rows, 1), list(image.shape), align_corners=False)
    return functional.grid_sample(image, grid, "bilinear", padding_mode="reflection", align_corners=False)


def build_augment(config: Augmentation, height: int, width: int) -> FlipCropCutout | None:
    """What the options ask for; None if nothing. UsageError if images of that size cannot be shifted so far."""
    smallest = min(height, width)
    for name in ("crop", "cutout"):
        if getattr(config, name) >= smallest:
            raise UsageError(f"dataset.{name} = {getattr(config, name)}: less than the images' {smallest} pixels")
    if not (config.flip or config.crop or config.cutout or config.zoom > 1):
        return None
    return FlipCropCutout(
        height,
        width,
        flip=config.flip,
        crop=config.crop,
        padding=config.padding,
        cutout=config.cutout,
        zoom=config.zoom,
    )
