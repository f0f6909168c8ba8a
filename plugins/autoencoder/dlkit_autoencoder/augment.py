"""Random changes to training images, made on the device."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from dlkit.data.augment import pick_pixels
from dlkit.data.splits import Augment, Batch


class Shift(Augment):
    """Moves each image by up to ``reach`` pixels in either direction; black comes in at the border."""

    def __init__(self, reach: int) -> None:
        self.reach = reach

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, npt.NDArray[np.int64]]:
        """``shift`` int64 [count,2]: down and to the right, in pixels."""
        return {"shift": rng.integers(-self.reach, self.reach + 1, (count, 2))}

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        image, shift = batch["image"], drawn["shift"]
        height, width = image.shape[2:]
        rows = self.reach - shift[:, :1] + torch.arange(height, device=image.device)  # [N,H]
        columns = self.reach - shift[:, 1:] + torch.arange(width, device=image.device)  # [N,W]
        return {**batch, "image": pick_pixels(F.pad(image, [self.reach] * 4), rows, columns)}
