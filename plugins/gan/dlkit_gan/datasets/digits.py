"""Handwritten digits: scikit-learn's, or MNIST's."""

from __future__ import annotations

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.data.unlabelled import digits
from dlkit_gan.options import DigitsConfig
from dlkit_gan.storage import as_data


def build(config: DigitsConfig, context: Context) -> Data:
    """scikit-learn's 1,797, enlarged to MNIST's proportions."""
    return as_data(digits("digits", config.size, context), "digits", context, config.judged)


def build_mnist(config: DigitsConfig, context: Context) -> Data:
    """MNIST's 70,000; a tenth of its training images is for validation."""
    return as_data(digits("mnist", config.size, context), "digits", context, config.judged)
