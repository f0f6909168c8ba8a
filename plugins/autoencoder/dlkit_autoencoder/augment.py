"""Random changes to training images, made on the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from dlkit.data.splits import Augment, Batch


class Shift(Augment):
    """Moves each image by up to ``reach`` pixels in either direction; black comes in at the border."""

    def __init__(self, reach: int) -> None:
        self.reach = reach

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, np.ndarray[Any, Any]]:
        """``shift`` int64 [count,2]: down and to the right, in pixels."""
        return {"shift": rng.integers(-self.reach, self.reach + 1, (count, 2))}

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        image, shift = batch["image"], drawn["shift"]
        count, channels, height, width = image.shape
        padded = F.pad(image, [self.reach] * 4)
        rows = self.reach - shift[:, :1] + torch.arange(height, device=image.device)  # [N,H]
        columns = self.reach - shift[:, 1:] + torch.arange(width, device=image.device)  # [N,W]
        which = torch.arange(count, device=image.device)[:, None, None, None]
        planes = torch.arange(channels, device=image.device)[None, :, None, None]
        return {**batch, "image": padded[which, planes, rows[:, None, :, None], columns[:, None, None, :]]}
