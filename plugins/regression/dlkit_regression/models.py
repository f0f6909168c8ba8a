"""Networks for rows of features."""

from __future__ import annotations

from torch import nn

from dlkit.config import NoOptions
from dlkit.nn.layers import hidden_layers
from dlkit_regression.info import RegressionInfo
from dlkit_regression.options import MlpConfig


def linear(config: NoOptions, info: RegressionInfo) -> nn.Module:
    """features [N,F] → [N,1]."""
    return nn.Linear(len(info.features), 1)


def mlp(config: MlpConfig, info: RegressionInfo) -> nn.Module:
    """features [N,F] → [N,1]."""
    inputs = len(info.features)
    hidden = hidden_layers(inputs, config.hidden, config.activation, norm=config.norm, dropout=config.dropout)
    return nn.Sequential(*hidden, nn.Linear([inputs, *config.hidden][-1], 1))
