"""Objects that are neither to be found nor a mistake to find: VOC's ``difficult`` ones and COCO's groups.

In a batch their label is −2 − class: whoever asks for objects by ``labels >= 0`` does not see them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from dlkit.data.annotations.record import Mark

Labels = TypeVar("Labels", Tensor, npt.NDArray[np.int64])


def ignored(labels: Labels) -> Labels:
    """The labels of ignored objects of these classes; of such labels, their classes."""
    return -2 - labels


def marked_labels(labels: npt.NDArray[np.int64], marks: Sequence[Mark]) -> npt.NDArray[np.int64]:
    """Labels int64 [M] with those of marked objects as ``ignored``."""
    return np.where(np.array(marks, str) != "", ignored(labels), labels)
