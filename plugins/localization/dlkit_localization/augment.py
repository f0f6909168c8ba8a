"""Random changes to whole batches of images and their boxes, on the device."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dlkit.data.augment import coin, mirrored, pick_pixels
from dlkit.data.splits import Augment, Batch


class Mirror(Augment):
    """Mirrors left and right, images and boxes, with probability ½."""

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, npt.NDArray[np.bool_]]:
        """``flip`` bool [count]."""
        return {"flip": coin(rng, count)}

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        image, box, flip = batch["image"], batch["box"], drawn["flip"]
        there = flip & (batch["present"] > 0)
        x = torch.where(there, 1 - box[:, 0], box[:, 0])
        return {
            **batch,
            "image": mirrored(image, flip),
            "box": torch.cat([x[:, None], box[:, 1:]], 1),
        }


class Move(Augment):
    """Moves a canvas's content to another place, wrapped around at the edges, the object never across one.

    For images whose background is noise without structure: any such shift of one is as good an image as it was. Where
    the object goes is uniform over all places that keep ``MARGIN`` pixels about its box on the canvas (or what of them
    was there before).
    """

    MARGIN = 1
    """Pixels of an object that may be too faint for its box."""

    def __init__(self, height: int, width: int) -> None:
        self.size = height, width

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, npt.NDArray[np.float32]]:
        """``to`` float32 [count,2], y and x: where between the first and the last place that there is room for."""
        return {"to": rng.random((count, 2), np.float32)}

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        image, box, (height, width) = batch["image"], batch["box"], self.size
        down = self._shift(box[:, 1], box[:, 3], drawn["to"][:, 0], height, batch["present"])
        right = self._shift(box[:, 0], box[:, 2], drawn["to"][:, 1], width, batch["present"])
        rows = (torch.arange(height, device=image.device) - down[:, None]) % height
        columns = (torch.arange(width, device=image.device) - right[:, None]) % width
        moved = pick_pixels(image, rows, columns)
        by = torch.stack([right / width, down / height, torch.zeros_like(down), torch.zeros_like(down)], 1)
        return {**batch, "image": moved, "box": box + by * batch["present"][:, None]}

    def _shift(self, centre: Tensor, side: Tensor, to: Tensor, size: int, present: Tensor) -> Tensor:
        """Pixels int64 [N] to move by along an axis of that size."""
        first, last = ((centre + sign * side / 2).mul(size).round() for sign in (-1, 1))
        lowest, highest = -(first - self.MARGIN).clamp(min=0), (size - self.MARGIN - last).clamp(min=0)
        # Without an object any place will do.
        there = present > 0
        lowest, highest = torch.where(there, lowest, 0.0), torch.where(there, highest, size - 1.0)
        shift = lowest + (to * (highest - lowest + 1)).floor()
        return shift.minimum(highest).long()
