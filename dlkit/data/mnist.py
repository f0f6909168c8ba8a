"""MNIST (LeCun, Cortes, Burges): 70,000 handwritten digits of 28×28 grey pixels, in the official IDX files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from dlkit.data.idx import find_idx, read_idx
from dlkit.errors import DataError

SIDE = 28


def read_mnist(folder: Path, part: Literal["train", "t10k"]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images uint8 [N,28,28], light on dark, and labels int64 [N], 0 to 9; ``t10k`` is the test set.

    From the official files, plain or gzipped. DataError names a file that is missing, damaged, of another shape, or
    does not belong to its partner.
    """
    image_file = find_idx(folder, f"{part}-images-idx3-ubyte")
    label_file = find_idx(folder, f"{part}-labels-idx1-ubyte")
    # Counted against each other: training images beside the test's labels would train to nothing, without an error.
    images, labels = read_idx(image_file), read_idx(label_file)
    if images.shape[1:] != (SIDE, SIDE) or images.dtype != "uint8":
        raise DataError(f"{image_file}: holds {images.dtype}{list(images.shape)}, not uint8[N, {SIDE}, {SIDE}]")
    if labels.shape != images.shape[:1]:
        raise DataError(f"{label_file}: {list(labels.shape)} labels for {len(images)} images")
    if labels.max(initial=0) > 9:
        raise DataError(f"{label_file}: label {labels.max()}; labels are 0 to 9")
    return np.asarray(images, np.uint8), labels.astype(np.int64)
