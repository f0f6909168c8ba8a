"""MNIST (LeCun, Cortes, Burges): 70,000 handwritten digits of 28×28 grey pixels."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.context import Context
from dlkit.data.idx import find_idx, read_idx
from dlkit.data.splits import Data
from dlkit.errors import DataError
from dlkit_classification.options import MnistConfig
from dlkit_classification.storage import Pictures, Published, from_published

SHAPE = (1, 28, 28)
PUBLISHED = Published(
    classes=[str(digit) for digit in range(10)], shape=SHAPE, count=70_000, mean=[0.1307], std=[0.3081]
)


def build(config: MnistConfig, context: Context) -> Data:
    folder = context.source("mnist")
    return from_published(PUBLISHED, lambda: read(folder, "train"), lambda: read(folder, "t10k"), config)


def read(folder: Path, part: str) -> Pictures:
    """``train`` or ``t10k`` from the official files, plain or gzipped; DataError if they do not belong together."""
    image_file = find_idx(folder, f"{part}-images-idx3-ubyte")
    label_file = find_idx(folder, f"{part}-labels-idx1-ubyte")
    images, labels = read_idx(image_file), read_idx(label_file)
    if images.shape[1:] != SHAPE[1:] or images.dtype != "uint8":
        raise DataError(f"{image_file}: holds {images.dtype}{list(images.shape)}, not uint8[N, 28, 28]")
    if labels.shape != images.shape[:1]:
        raise DataError(f"{label_file}: {list(labels.shape)} labels for {len(images)} images")
    if labels.max(initial=0) > 9:
        raise DataError(f"{label_file}: label {labels.max()}; labels are 0 to 9")
    return Pictures(images.reshape(-1, *SHAPE), labels.astype("int64"))
