"""Networks for images of one size: a perceptron and the classic course network."""

from __future__ import annotations

import math

from torch import nn

from dlkit.errors import UsageError
from dlkit.nn.layers import PooledConvolutions, hidden_layers
from dlkit_classification.info import ClassificationInfo
from dlkit_classification.options import CnnConfig, MlpConfig


def mlp(config: MlpConfig, info: ClassificationInfo) -> nn.Module:
    """image [N,C,H,W] → logits [N,classes]."""
    inputs = math.prod(info.shape)
    hidden = hidden_layers(inputs, config.hidden, config.activation, dropout=config.dropout)
    width = [inputs, *config.hidden][-1]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(width, len(info.classes)))


def cnn(config: CnnConfig, info: ClassificationInfo) -> nn.Module:
    """image [N,C,H,W] → logits [N,classes]: two convolutions, each halved by pooling, and two dense layers."""
    channels, *sides = info.shape
    stack = PooledConvolutions(config.channels, config.kernel, config.pad, config.batch_norm)
    sides = [stack.side(side) for side in sides]
    if min(sides) < 1:
        raise UsageError(
            f"images of {info.shape[1]}x{info.shape[2]} pixels are too small for model cnn with "
            f"model.kernel = {config.kernel}, model.pad = {str(config.pad).lower()}"
        )
    return nn.Sequential(
        *stack.layers(channels),
        nn.Dropout(config.dropout),
        nn.Flatten(),
        nn.Linear(config.channels[-1] * math.prod(sides), config.hidden),
        nn.ReLU(),
        nn.Dropout(config.dense_dropout),
        nn.Linear(config.hidden, len(info.classes)),
    )
