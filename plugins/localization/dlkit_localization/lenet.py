"""LeNet-5 (LeCun et al. 1998) and two variants of it, by options of one builder."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

from dlkit.errors import UsageError
from dlkit_localization.head import full_precision
from dlkit_localization.options import LenetConfig
from dlkit_localization.outputs import FIXED

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU}
POOLINGS = {"mean": nn.AvgPool2d, "max": nn.MaxPool2d}


class LeNet(nn.Module):
    """image [N,C,H,W] → outputs [N, 5 + classes]: convolutions, each halved by pooling, then dense layers."""

    def __init__(self, config: LenetConfig, info: Any) -> None:
        super().__init__()
        self.features = nn.Sequential(*_convolutions(config, info), nn.Flatten())
        width = config.channels[-1] * math.prod(_sides(config, info))
        layers: list[nn.Module] = []
        for units in config.hidden:
            layers += [nn.Linear(width, units, bias=not config.batch_norm)]
            layers += [nn.BatchNorm1d(units)] if config.batch_norm else []
            layers += [ACTIVATIONS[config.activation]()]
            layers += [nn.Dropout(config.dropout)] if config.dropout else []
            width = units
        self.dense = nn.Sequential(*layers)
        self.head = nn.Linear(width, FIXED + len(info.classes))

    def forward(self, image: Tensor) -> Tensor:
        return full_precision(self.head, self.dense(self.features(image)))


def build(config: LenetConfig, info: Any) -> nn.Module:
    return LeNet(config, info)


def _convolutions(config: LenetConfig, info: Any) -> list[nn.Module]:
    layers: list[nn.Module] = []
    before = info.shape[0]
    for after in config.channels:
        padding = config.kernel // 2 if config.pad else 0
        layers.append(nn.Conv2d(before, after, config.kernel, padding=padding, bias=not config.batch_norm))
        layers += [nn.BatchNorm2d(after)] if config.batch_norm else []
        layers += [ACTIVATIONS[config.activation](), POOLINGS[config.pooling](2)]
        before = after
    return layers


def _sides(config: LenetConfig, info: Any) -> tuple[int, int]:
    """Height and width after the convolutions; UsageError if nothing is left."""
    height, width = info.shape[1:]
    shrink = 0 if config.pad else config.kernel - 1
    for _ in config.channels:
        height, width = (height - shrink) // 2, (width - shrink) // 2
    if min(height, width) < 1:
        raise UsageError(
            f"images of {info.shape[1]}x{info.shape[2]} pixels are too small for model.channels = {config.channels} "
            f"with model.kernel = {config.kernel}, model.pad = {str(config.pad).lower()}"
        )
    return height, width
