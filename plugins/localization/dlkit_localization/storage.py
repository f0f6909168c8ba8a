"""Images and what is on them as splits: pixels stay uint8 and each batch is normalised on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from dlkit.data.encoding import Encoding, channel_statistics
from dlkit.data.image_info import rules_info
from dlkit.data.pixel_rules import PLAIN, PixelRules
from dlkit.data.splits import TensorSplit
from dlkit_localization.outputs import relative


@dataclass(frozen=True)
class Scenes:
    """Images uint8 [N,C,H,W], the box of each, float32 [N,4], corners in pixels, and its label int64 [N], −1: none."""

    images: npt.NDArray[np.uint8]
    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def split(self, encoding: Encoding) -> TensorSplit:
        """As the task's batches."""
        labels, (height, width) = torch.from_numpy(self.labels), self.images.shape[2:]
        there = labels >= 0
        # Relative boxes are computed once, here: batches only pick them.
        box = torch.where(there[:, None], relative(torch.from_numpy(self.boxes), height, width), 0.0)
        columns = {"image": torch.from_numpy(self.images), "present": there.float(), "box": box, "label": labels}
        return TensorSplit(columns, transform=encoding)


def splits_and_info(
    parts: Mapping[str, Scenes], classes: Sequence[str], rules: PixelRules = PLAIN
) -> tuple[dict[str, TensorSplit], dict[str, object]]:
    """Every part as a split, normalised by the training images' mean and deviation, and the task's ``info``.

    ``rules``: how files became these pixels.
    """
    train = parts["train"].images
    encoding = Encoding(*channel_statistics(train))
    info: dict[str, object] = {
        "classes": list(classes),
        "shape": train.shape[1:],
        "mean": encoding.mean,
        "std": encoding.std,
        **rules_info(rules),
    }
    return {part: scenes.split(encoding) for part, scenes in parts.items()}, info
