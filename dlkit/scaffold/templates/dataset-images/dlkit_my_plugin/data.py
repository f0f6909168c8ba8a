"""Images drawn by a seeded generator. Replace ``drawn`` by what you have: uint8 pixels and a label for each image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from dlkit.data.context import Context
from dlkit.data.encoding import Encoding
from dlkit.data.randomness import rng
from dlkit.data.splits import Data, TensorSplit

from dlkit_my_plugin.options import Options

CLASSES = ["disc", "square", "ring"]


def build(config: Options, context: Context) -> Data:
    """Batches as the task declares them: ``image`` float32 [N,C,H,W], normalised, and ``label`` int64 [N]."""
    train, labels = drawn(config, "train", config.train)
    mean, std = float(train.mean()) / 255, max(float(train.std()) / 255, 1e-3)
    encoding = Encoding([mean], [std])

    def split(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> TensorSplit:
        return TensorSplit({"image": torch.from_numpy(images), "label": torch.from_numpy(labels)}, transform=encoding)

    info = {
        "classes": CLASSES,
        "shape": (1, config.size, config.size),
        "mean": np.array([mean], np.float32),
        "std": np.array([std], np.float32),
    }
    val, test = (split(*drawn(config, part, config.held_out)) for part in ("val", "test"))
    return Data(train=split(train, labels), val=val, test=test, info=info)


def drawn(config: Options, part: str, count: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images uint8 [N,1,H,W] and their labels int64 [N]: the same for the same options and part, others for others."""
    generator, size = rng(0, "shapes", part), config.size
    labels = generator.integers(len(CLASSES), size=count)
    radius = generator.uniform(size / 6, size / 3, size=(count, 1, 1))
    middle = generator.uniform(size / 3, size * 2 / 3, size=(2, count, 1, 1))
    down, right = np.abs(np.mgrid[:size, :size][:, None] - middle)
    away = np.where(labels[:, None, None] == CLASSES.index("square"), np.maximum(down, right), np.hypot(down, right))
    hole = (labels[:, None, None] == CLASSES.index("ring")) & (away < radius / 2)
    bright = np.where((away < radius) & ~hole, 0.8, 0.2) + config.noise * generator.normal(size=away.shape)
    return (bright.clip(0, 1) * 255).astype(np.uint8)[:, None], labels
