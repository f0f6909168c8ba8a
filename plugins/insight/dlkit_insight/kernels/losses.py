"""What the search for a kernel minimises."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from dlkit.config import NoOptions
from dlkit.task import Loss
from dlkit_insight.kernels.info import KernelsInfo


def mse(config: NoOptions, info: KernelsInfo) -> Loss[Tensor]:
    """The squared difference from the filtered image, mean over pixels and over a model's kernels. Where that image was
    cut off at black and white, so is what it is compared with."""

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": difference(outputs, batch["filtered"], info.clipped).mean()}

    return loss


def difference(outputs: Tensor, filtered: Tensor, clipped: bool) -> Tensor:
    """Squared, of outputs [N,K,C,H,W] from images [N,C,H,W]."""
    return ((outputs.clamp(0, 1) if clipped else outputs) - filtered[:, None]).square()
