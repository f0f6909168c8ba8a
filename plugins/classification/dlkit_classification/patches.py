"""What a data set of images tells models beyond their normalisation (``dlkit.data.encoding``)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch.nn.functional as F

from dlkit.data.splits import Split
from dlkit.metrics.selection import evenly_spaced

PATCH = 3
"""Side of the patches whose covariance a data set tells."""

_PATCHED = 500
"""Images, from all over the training split, that the covariance of patches is taken from."""


def patch_covariance(split: Split) -> npt.NDArray[np.float32]:
    """Second moments of PATCH×PATCH patches, every other one, of normalised images: float32 [C·9, C·9].

    The order within a patch is channel, row, column, as in a convolution's filter.
    """
    index = evenly_spaced(len(split), _PATCHED)
    patches = F.unfold(split.take(index)["image"], PATCH, stride=2).transpose(0, 1).flatten(1)  # [C·9, N·positions]
    return (patches @ patches.T / patches.shape[1]).numpy()
