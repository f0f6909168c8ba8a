"""Handwritten digits: scikit-learn's, or MNIST's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.data.unlabelled import digits
from dlkit_gan.options import DigitsConfig
from dlkit_gan.storage import assembled

_LEVELS = 16
"""The brightest value of a pixel of scikit-learn's digits."""


def build(config: DigitsConfig, context: Context) -> Data:
    """scikit-learn's 1,797, enlarged to MNIST's proportions."""
    return assembled(digits("digits", config.size, context, embedded), "digits", context)


def build_mnist(config: DigitsConfig, context: Context) -> Data:
    """MNIST's 70,000; a tenth of its training images is for validation."""
    return assembled(digits("mnist", config.size, context, embedded), "digits", context)


def embedded() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """scikit-learn's 1,797 digits, uint8 [N,8,8], and their labels.

    From the UCI repository's "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998), its test part.
    """
    from sklearn.datasets import load_digits

    values, labels = load_digits(return_X_y=True)
    return np.round(values * (255 / _LEVELS)).astype(np.uint8).reshape(-1, 8, 8), labels.astype(np.int64)
