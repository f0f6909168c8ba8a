"""Networks for images of one size: a perceptron and the classic course network."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from dlkit.errors import UsageError
from dlkit_classification.options import CnnConfig, MlpConfig

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def mlp(config: MlpConfig, info: Any) -> nn.Module:
    """image [N,C,H,W] → logits [N,classes]."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = math.prod(info.shape)
    for units in config.hidden:
        layers += [nn.Linear(width, units), ACTIVATIONS[config.activation]()]
        if config.dropout:
            layers.append(nn.Dropout(config.dropout))
        width = units
    return nn.Sequential(*layers, nn.Linear(width, len(info.classes)))


def cnn(config: CnnConfig, info: Any) -> nn.Module:
    """image [N,C,H,W] → logits [N,classes]: two convolutions, each halved by pooling, and two dense layers."""
    channels, *sides = info.shape
    layers: list[nn.Module] = []
    for filters in config.channels:
        padding = config.kernel // 2 if config.pad else 0
        layers.append(nn.Conv2d(channels, filters, config.kernel, padding=padding, bias=not config.batch_norm))
        if config.batch_norm:
            layers.append(nn.BatchNorm2d(filters))
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        channels, sides = filters, [(side + 2 * padding - config.kernel + 1) // 2 for side in sides]
    if min(sides) < 1:
        raise UsageError(
            f"images of {info.shape[1]}x{info.shape[2]} pixels are too small for model cnn with "
            f"model.kernel = {config.kernel}, model.pad = {str(config.pad).lower()}"
        )
    return nn.Sequential(
        *layers,
        nn.Dropout(config.dropout),
        nn.Flatten(),
        nn.Linear(channels * math.prod(sides), config.hidden),
        nn.ReLU(),
        nn.Dropout(config.dense_dropout),
        nn.Linear(config.hidden, len(info.classes)),
    )
