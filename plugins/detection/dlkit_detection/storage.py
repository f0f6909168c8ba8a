"""Images with boxes as splits: uint8 in memory, normalised a batch at a time on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dlkit.data.encoding import Encoding
from dlkit.data.image_info import rules_info
from dlkit.data.pixel_rules import PLAIN, PixelRules
from dlkit.data.ragged import Ragged
from dlkit.data.splits import Data, Split, TensorSplit
from dlkit_detection.augment import build_augment
from dlkit_detection.options import Augmentation

Column = Tensor | Ragged
"""Padded boxes or labels of all images, or rows of different length."""


def split(images: Tensor, boxes: Column, labels: Column, encoding: Encoding) -> TensorSplit:
    """``images`` uint8 [N,C,H,W], ``boxes`` [N,M,4] and ``labels`` [N,M], or ragged, as the task's batches."""
    return TensorSplit({"image": images, "boxes": boxes, "labels": labels}, transform=encoding)


def as_data(
    splits: Mapping[str, Split],
    classes: Sequence[str],
    shape: tuple[int, int, int],
    encoding: Encoding,
    config: Augmentation,
    *,
    rules: PixelRules = PLAIN,
    notes: Sequence[str] = (),
    resolved_options: Mapping[str, object] | None = None,
) -> Data:
    """Splits and what is known of them. ``shape`` is an image's channels, height and width; ``rules``: how files became
    these pixels."""
    info = {
        "classes": list(classes),
        "shape": shape,
        "mean": encoding.mean,
        "std": encoding.std,
        "fit": "letterbox",
        **rules_info(rules),
    }
    return Data(
        train=splits["train"],
        val=splits["val"],
        test=splits.get("test"),
        info=info,
        augment=build_augment(config),
        notes=notes,
        resolved_options=resolved_options or {},
    )


def padded(rows: Sequence[npt.NDArray[np.generic]], padding: float) -> Ragged:
    """Arrays [M_i, …] as a ragged column."""
    return Ragged.of([torch.from_numpy(row) for row in rows], padding)
