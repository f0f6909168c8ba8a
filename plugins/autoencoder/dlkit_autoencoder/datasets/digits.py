"""Handwritten digits: scikit-learn's 1,797, in the package, or MNIST's 70,000."""

from __future__ import annotations

from typing import Literal

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.data.unlabelled import digits
from dlkit_autoencoder.augment import Shift
from dlkit_autoencoder.options import DigitsConfig
from dlkit_autoencoder.storage import as_data


def build(config: DigitsConfig, context: Context) -> Data:
    """scikit-learn's, enlarged to MNIST's proportions; a sixth is the test, a tenth of the rest validation."""
    return _built("digits", config, context)


def build_mnist(config: DigitsConfig, context: Context) -> Data:
    """MNIST's; a tenth of its 60,000 training images is validation, its 10,000 test images the test."""
    return _built("mnist", config, context)


def _built(source: Literal["digits", "mnist"], config: DigitsConfig, context: Context) -> Data:
    found = digits(source, config.size, context)
    return as_data(found, "crop", Shift(config.shift) if config.shift else None, config.reference, context)
