"""scikit-learn's digits: 1,797 handwritten digits of 8×8 grey pixels, in the package, no network needed.

From the UCI repository's "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998), its test part.
"""

from __future__ import annotations

import numpy as np

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit_classification.options import DigitsConfig
from dlkit_classification.storage import Known, Pictures, from_one_set

_LEVELS = 16
"""The brightest value of a pixel, which counts the inked ones of a 4×4 block."""


def build(config: DigitsConfig, context: Context) -> Data:
    from sklearn.datasets import load_digits

    values, labels = load_digits(return_X_y=True)
    images = np.round(values * (255 / _LEVELS)).astype(np.uint8).reshape(-1, 1, 8, 8)
    pictures = Pictures(images, labels.astype(np.int64))
    return from_one_set(pictures, Known([str(digit) for digit in range(10)]), config)
