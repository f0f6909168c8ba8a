"""Activations and poolings by the names that options have for them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
POOLINGS: Mapping[str, type[nn.AvgPool2d | nn.MaxPool2d]] = {"mean": nn.AvgPool2d, "max": nn.MaxPool2d}
