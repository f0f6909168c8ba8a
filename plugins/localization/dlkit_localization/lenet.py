"""LeNet-5 (LeCun et al. 1998) and two variants of it, by options of one builder."""

from __future__ import annotations

import math

from torch import Tensor, nn

from dlkit.errors import UsageError
from dlkit.nn.layers import PooledConvolutions, hidden_layers, in_float32
from dlkit_localization.info import LocalizationInfo
from dlkit_localization.options import LenetConfig
from dlkit_localization.outputs import FIXED


class LeNet(nn.Module):
    """image [N,C,H,W] → outputs [N, 5 + classes]: convolutions, each halved by pooling, then dense layers."""

    def __init__(self, config: LenetConfig, info: LocalizationInfo) -> None:
        super().__init__()
        stack = PooledConvolutions(
            config.channels, config.kernel, config.pad, config.batch_norm, config.activation, config.pooling
        )
        sides = _sides(stack, info)
        self.features = nn.Sequential(*stack.layers(info.shape[0]), nn.Flatten())
        inputs = config.channels[-1] * math.prod(sides)
        self.dense = nn.Sequential(
            *hidden_layers(
                inputs,
                config.hidden,
                config.activation,
                norm="batch" if config.batch_norm else "none",
                dropout=config.dropout,
                bias=not config.batch_norm,
            )
        )
        width = [inputs, *config.hidden][-1]
        self.head = nn.Linear(width, FIXED + len(info.classes))

    def forward(self, image: Tensor) -> Tensor:
        return in_float32(self.head, self.dense(self.features(image)))


def build(config: LenetConfig, info: LocalizationInfo) -> nn.Module:
    return LeNet(config, info)


def _sides(stack: PooledConvolutions, info: LocalizationInfo) -> tuple[int, int]:
    """Height and width after the convolutions; UsageError if nothing is left."""
    height, width = (stack.side(side) for side in info.shape[1:])
    if min(height, width) < 1:
        raise UsageError(
            f"images of {info.shape[1]}x{info.shape[2]} pixels are too small for model.channels = "
            f"{list(stack.filters)} with model.kernel = {stack.kernel}, model.pad = {str(stack.pad).lower()}"
        )
    return height, width
