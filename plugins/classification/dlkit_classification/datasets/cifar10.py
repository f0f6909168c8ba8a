"""CIFAR-10 (Krizhevsky 2009), the binary version: 60,000 photographs of 32×32 RGB pixels in ten classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.errors import DataError
from dlkit_classification.options import Cifar10Config
from dlkit_classification.storage import LabelledImages, Published, from_published

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
SHAPE = (3, 32, 32)
TRAIN = [f"data_batch_{number}.bin" for number in range(1, 6)]
TEST = ["test_batch.bin"]
PUBLISHED = Published(
    classes=CLASSES, shape=SHAPE, count=60_000, mean=[0.4914, 0.4822, 0.4465], std=[0.2470, 0.2435, 0.2616]
)

_RECORD = 1 + 3 * 32 * 32
"""Bytes of an image: its label, then the planes of red, green and blue."""


def build(config: Cifar10Config, context: Context) -> Data:
    folder = context.source("cifar10") / "cifar-10-batches-bin"
    return from_published(PUBLISHED, lambda: read(folder, TRAIN), lambda: read(folder, TEST), config)


def read(folder: Path, names: Sequence[str]) -> LabelledImages:
    """The records of several files, one after the other; DataError names a file that is missing or malformed."""
    counts = [_records(folder / name) for name in names]
    images = np.empty((sum(counts), *SHAPE), np.uint8)
    labels = np.empty(sum(counts), np.int64)
    first = 0
    for name, count in zip(names, counts, strict=True):
        records = np.fromfile(folder / name, np.uint8).reshape(count, _RECORD)
        if records[:, 0].max() > 9:
            raise DataError(f"{folder / name}: label {records[:, 0].max()}; labels are 0 to 9")
        labels[first : first + count] = records[:, 0]
        images[first : first + count] = records[:, 1:].reshape(count, *SHAPE)
        first += count
    return LabelledImages(images, labels)


def _records(path: Path) -> int:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if size == 0 or size % _RECORD:
        raise DataError(f"{path}: {size} bytes are not a whole number of records of {_RECORD}")
    return size // _RECORD
