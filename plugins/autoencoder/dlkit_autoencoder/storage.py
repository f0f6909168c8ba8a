"""From images to the task's data: splits of batches in [0, 1], and what a checkpoint must know of them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dlkit.data.encoding import Encoding
from dlkit.data.image_info import rules_info
from dlkit.data.splits import Augment, Data
from dlkit.data.unlabelled import Unlabelled


def scaled(channels: int) -> Encoding:
    """Pixels to [0, 1] and back."""
    return Encoding(np.zeros(channels, np.float32), np.ones(channels, np.float32))


def as_data(found: Unlabelled, fit: Literal["crop", "letterbox"], augment: Augment | None) -> Data:
    """The task's data."""
    splits = found.splits(scaled(found.shape[0]))
    info = {"shape": found.shape, "fit": fit, **rules_info(found.rules)}
    return Data(splits["train"], splits["val"], info, splits.get("test"), augment=augment, notes=found.notes)
