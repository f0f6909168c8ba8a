"""A small network for photographs: maps of features, one for each halving of the image."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from dlkit.nn.layers import convolution
from dlkit.nn.residual import Residual


class Stages(nn.Module):
    """image [N,C,H,W] → a list of maps [N,channels[i],H/strides[i],W/strides[i]], from the finest to the coarsest.

    Each stage is a convolution that halves the image, then residual blocks of two convolutions.
    """

    def __init__(self, channels: int, widths: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(convolution(before, after, stride=2), *(_residual(after) for _ in range(count)))
            for (before, after), count in zip(pairwise([channels, *widths]), blocks, strict=True)
        )
        self.strides, self.channels = [2 ** (i + 1) for i in range(len(widths))], list(widths)

    def forward(self, image: Tensor) -> list[Tensor]:
        maps = []
        for stage in self.stages:
            image = stage(image)
            maps.append(image)
        return maps


def _residual(width: int) -> Residual:
    """Two 3×3 convolutions beside the way straight through."""
    inner = (*convolution(width, width), nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
    return Residual({"inner": nn.Sequential(*inner)}, after=torch.relu)


WIDTHS, BLOCKS = (32, 64, 128, 160), (0, 1, 1, 1)
"""Of the embedded network."""
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
"""Of the images that its weights were trained on, CIFAR-10's: it is given (pixel / 255 − MEAN) / STD, RGB."""


def embedded() -> Stages:
    """The network whose weights come with dlkit (``dlkit.data.weights.embedded_weights``): 1.1 million of them."""
    return Stages(3, WIDTHS, BLOCKS)
