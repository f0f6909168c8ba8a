"""Random changes to whole batches of images and their boxes, on the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from dlkit.data.splits import Augment, Batch


class Mirror(Augment):
    """Mirrors left and right, images and boxes, with probability ½."""

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, np.ndarray[Any, Any]]:
        return {"flip": rng.random(count) < 0.5}

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        image, box, flip = batch["image"], batch["box"], drawn["flip"]
        there = flip & (batch["present"] > 0)
        x = torch.where(there, 1 - box[:, 0], box[:, 0])
        return {
            **batch,
            "image": torch.where(flip[:, None, None, None], image.flip(3), image),
            "box": torch.cat([x[:, None], box[:, 1:]], 1),
        }
