"""MNIST (LeCun, Cortes, Burges): 70,000 handwritten digits of 28×28 grey pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from dlkit.data.context import Context
from dlkit.data.mnist import SIDE, read_mnist
from dlkit.data.splits import Data
from dlkit_classification.options import MnistConfig
from dlkit_classification.storage import LabelledImages, Published, from_published

SHAPE = (1, SIDE, SIDE)
PUBLISHED = Published(
    classes=[str(digit) for digit in range(10)], shape=SHAPE, count=70_000, mean=[0.1307], std=[0.3081]
)


def build(config: MnistConfig, context: Context) -> Data:
    folder = context.source("mnist")
    return from_published(PUBLISHED, lambda: read(folder, "train"), lambda: read(folder, "t10k"), config)


def read(folder: Path, part: Literal["train", "t10k"]) -> LabelledImages:
    """``train`` or ``t10k`` from the official files; DataError as ``read_mnist``."""
    images, labels = read_mnist(folder, part)
    return LabelledImages(images.reshape(-1, *SHAPE), labels)
