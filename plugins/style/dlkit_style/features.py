"""What a fixed network sees of a picture: maps of features, and their correlations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt
import torch
from torch import Tensor, nn

from dlkit.errors import UsageError, nearest
from dlkit.nn.frozen import freeze
from dlkit_style.networks import Network, fits, least_side
from dlkit_style.pixels import luma

Weighted = dict[str, float]
"""What each layer counts, by name."""


class Features(nn.Module):
    """A network whose weights never change, behind the normalisation that it was trained with."""

    def __init__(self, network: Network, layers: Sequence[str], mean: npt.ArrayLike, std: npt.ArrayLike) -> None:
        super().__init__()
        network.cut(layers)
        self.network, self.layers = network, tuple(layers)
        for name, values in (("mean", mean), ("std", std)):
            values_CHW = torch.as_tensor(values, dtype=torch.float32)[:, None, None]
            self.register_buffer(name, values_CHW, persistent=False)
        freeze(self)

    mean: Tensor
    std: Tensor

    def train(self, mode: bool = True) -> Features:
        """It never trains: statistics of batch norm stay those of its own training."""
        return super().train(False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """RGB in [0, 1], [N,3,H,W] → maps [N,C,h,w] by layer."""
        if len(self.mean) == 1:  # a network of grey images
            image = luma(image)
        found: dict[str, Tensor] = self.network((image - self.mean) / self.std, self.layers)
        return found

    def check(self, height: int, width: int, levels: int, lost: int, *, style: bool = False) -> None:
        """UsageError for pictures (or a style's) too small for the layers, to which ``lost`` rows and columns do not
        come."""
        if fits(self.network, self.layers, (len(self.mean), height - lost, width - lost)):
            return
        coarsest = f", the coarsest of {levels} levels" if levels > 1 else ""
        fewer = ", fewer levels (--model.levels)" if levels > 1 else ""
        least = least_side(self.network, self.layers, len(self.mean)) + lost
        what, option = ("styles", "--dataset.style_size") if style else ("pictures", "--dataset.size")
        raise UsageError(
            f"{what} of {width}x{height} pixels{coarsest} are too small for the layers {', '.join(self.layers)}: "
            f"these need {least} on each side; give a larger {option}{fewer}, or earlier layers"
        )


def weighted(given: Sequence[str], names: Sequence[str], option: str) -> Weighted:
    """``NAME`` and ``NAME:WEIGHT`` as shares that add up to 1; UsageError for a layer that the network lacks."""
    found: Weighted = {}
    for text in given:
        name, _, weight = text.partition(":")
        if name not in names:
            raise UsageError(f"model.{option}: no layer {name!r}: {nearest(name, names)}")
        if name in found:
            raise UsageError(f"model.{option}: layer {name} stands there twice")
        found[name] = float(weight or 1)
    total = sum(found.values())
    if not total:
        raise UsageError(f"model.{option}: no layer counts anything: give one of them a weight above 0")
    return {name: weight / total for name, weight in found.items()}


def gram(maps: Tensor) -> Tensor:
    """How features correlate: maps [N,C,h,w] → [C,C], means over all places (Gatys et al. 2016, eq. 3)."""
    flat = maps.flatten(2)
    return (flat @ flat.mT).mean(0) / flat.shape[2]
