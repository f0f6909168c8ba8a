"""From images to the task's data: splits of batches in [0, 1], and what a checkpoint must know of them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dlkit.data.context import Context
from dlkit.data.encoding import Encoding
from dlkit.data.image_info import rules_info
from dlkit.data.splits import Augment, Data
from dlkit.data.unlabelled import Unlabelled
from dlkit_autoencoder.principal import Floats, principal


def scaled(channels: int) -> Encoding:
    """Pixels to [0, 1] and back."""
    return Encoding(np.zeros(channels, np.float32), np.ones(channels, np.float32))


def as_data(
    found: Unlabelled, fit: Literal["crop", "letterbox"], augment: Augment | None, reference: int, context: Context
) -> Data:
    """The task's data; ``reference``: how many principal components to measure against."""
    splits = found.splits(scaled(found.shape[0]))
    info = {"shape": found.shape, "fit": fit, **rules_info(found.rules), "principal": _known(found, reference, context)}
    return Data(splits["train"], splits["val"], info, splits.get("test"), augment=augment, notes=found.notes)


def _known(found: Unlabelled, reference: int, context: Context) -> Floats | None:
    """Those that the run began with, if it goes on, or is measured or asked: a run of before had none."""
    earlier = context.earlier()
    if earlier is not None:
        kept: Floats | None = earlier.principal
        return kept
    return principal(found.parts["train"], reference) if reference else None
