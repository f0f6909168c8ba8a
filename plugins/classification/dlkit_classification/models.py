"""Networks for images of one size: a perceptron and the classic course network."""

from __future__ import annotations

import math

from torch import nn

from dlkit.errors import UsageError
from dlkit.nn.init import initialise
from dlkit.nn.layers import PooledConvolutions, hidden_layers
from dlkit_classification.info import ClassificationInfo
from dlkit_classification.options import CnnConfig, MlpConfig


def mlp(config: MlpConfig, info: ClassificationInfo) -> nn.Module:
    """image [N,C,H,W] → logits [N,classes]."""
    inputs = math.prod(info.shape)
    hidden = hidden_layers(inputs, config.hidden, config.activation, dropout=config.dropout)
    width = [inputs, *config.hidden][-1]
    return initialise(nn.Sequential(nn.Flatten(), *hidden, nn.Linear(width, len(info.classes))), config.init)


def cnn(config: CnnConfig, info: ClassificationInfo) -> nn.Module:
    """image [N,C,H,W] → logits [N,classes]: convolutions, each halved by pooling, and dense layers."""
    channels, *sides = info.shape
    stack = PooledConvolutions(config.channels, config.kernel, config.pad, config.batch_norm)
    sides = [stack.side(side) for side in sides]
    if min(sides) < 1:
        raise UsageError(
            f"images of {info.shape[1]}x{info.shape[2]} pixels are too small for model cnn with "
            f"{len(config.channels)} convolutions, each of which halves them (model.channels), "
            f"model.kernel = {config.kernel}, model.pad = {str(config.pad).lower()}"
        )
    layers = [*stack.layers(channels), nn.Dropout(config.dropout), nn.Flatten()]
    width = config.channels[-1] * math.prod(sides)
    for units in config.hidden:
        layers += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(config.dense_dropout)]
        width = units
    return initialise(nn.Sequential(*layers, nn.Linear(width, len(info.classes))), config.init)
