"""Networks for rows of features."""

from __future__ import annotations

from typing import Any

from torch import nn

from dlkit.config import Config
from dlkit_regression.options import MlpConfig

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
NORMS = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


def linear(config: Config, info: Any) -> nn.Module:
    """features [N,F] → [N,1]."""
    return nn.Linear(len(info.features), 1)


def mlp(config: MlpConfig, info: Any) -> nn.Module:
    """features [N,F] → [N,1]."""
    layers: list[nn.Module] = []
    width = len(info.features)
    for units in config.hidden:
        layers.append(nn.Linear(width, units))
        if config.norm != "none":
            layers.append(NORMS[config.norm](units))
        layers.append(ACTIVATIONS[config.activation]())
        if config.dropout:
            layers.append(nn.Dropout(config.dropout))
        width = units
    return nn.Sequential(*layers, nn.Linear(width, 1))
