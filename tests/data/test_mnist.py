"""MNIST's official files: what does not belong together is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlkit.data.mnist import read_mnist
from dlkit.errors import DataError
from mnist_files import write_mnist


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"images": 3, "label": 2}, r"train-labels-idx1-ubyte: \[2\] labels for 3 images"),
        ({"images": 11, "label": 11}, "train-labels-idx1-ubyte: label 11; labels are 0 to 9"),
        ({"images": 3, "label": 3, "sizes": (28, 27)}, "train-images-idx3-ubyte: holds .* not uint8"),
    ],
)
def test_files_that_do_not_belong_together_are_named(arguments: dict[str, Any], reason: str, tmp_path: Path) -> None:
    write_mnist(tmp_path, "train", **arguments)
    with pytest.raises(DataError, match=reason):
        read_mnist(tmp_path, "train")


def test_files_that_belong_together_are_read(tmp_path: Path) -> None:
    write_mnist(tmp_path, "t10k", images=7, label=7)
    images, labels = read_mnist(tmp_path, "t10k")
    assert images.shape == (7, 28, 28) and images.dtype == np.uint8
    assert labels.tolist() == [7] * 7 and labels.dtype == np.int64
    with pytest.raises(DataError, match="neither train-images-idx3-ubyte nor"):
        read_mnist(tmp_path, "train")


@pytest.mark.realdata
def test_the_real_ones(realdata: Callable[[str], Path]) -> None:
    for part, count in (("train", 60_000), ("t10k", 10_000)):
        images, labels = read_mnist(realdata("mnist"), part)  # type: ignore[arg-type]
        assert images.shape == (count, 28, 28) and np.bincount(labels).min() > count / 12
        assert images[:, 4:24].any((1, 2)).all()
