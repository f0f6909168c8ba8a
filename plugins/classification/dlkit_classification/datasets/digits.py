"""scikit-learn's digits: 1,797 handwritten digits of 8×8 grey pixels, in the package, no network needed."""

from __future__ import annotations

from dlkit.data.context import Context
from dlkit.data.digits import CLASSES, small_digits
from dlkit.data.splits import Data
from dlkit_classification.options import DigitsConfig
from dlkit_classification.storage import LabelledImages, SetDescription, from_one_set


def build(config: DigitsConfig, context: Context) -> Data:
    images, labels = small_digits()
    return from_one_set(
        LabelledImages(images[:, None], labels), SetDescription([str(digit) for digit in range(CLASSES)]), config
    )
