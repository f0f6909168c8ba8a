"""Stacks of layers: convolutions with their norm and activation, dense layers with theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from dlkit.nn.activations import ACTIVATIONS, POOLINGS


def convolution(before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the size, but for its stride; batch norm and ReLU."""
    return nn.Sequential(
        # No bias: the norm after it has one.
        nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


@dataclass(frozen=True)
class PooledConvolutions:
    """Convolutions as in LeNet-5 (LeCun et al. 1998), each with an activation and a pooling that halves the sides.

    ``filters`` of each; ``pad``: a convolution keeps the size, else it shrinks it by ``kernel`` − 1.
    """

    filters: Sequence[int]
    kernel: int
    pad: bool
    batch_norm: bool = False
    activation: str = "relu"
    pooling: Literal["mean", "max"] = "max"

    def layers(self, channels: int) -> list[nn.Module]:
        """For images of so many channels."""
        layers: list[nn.Module] = []
        padding = self.kernel // 2 if self.pad else 0
        for filters in self.filters:
            layers.append(nn.Conv2d(channels, filters, self.kernel, padding=padding, bias=not self.batch_norm))
            layers += [nn.BatchNorm2d(filters)] if self.batch_norm else []
            layers += [ACTIVATIONS[self.activation](), POOLINGS[self.pooling](2)]
            channels = filters
        return layers

    def side(self, side: int) -> int:
        """What is left of a side of the image; less than 1: the image is too small."""
        padding = self.kernel // 2 if self.pad else 0
        for _ in self.filters:
            side = (side + 2 * padding - self.kernel + 1) // 2
        return side


def hidden_layers(
    inputs: int,
    units: Sequence[int],
    activation: str,
    *,
    norm: Literal["none", "batch", "layer"] = "none",
    dropout: float = 0.0,
    bias: bool = True,
) -> list[nn.Module]:
    """Dense layers from ``inputs`` to each of ``units``, each with its norm, its activation and its dropout."""
    layers: list[nn.Module] = []
    for width in units:
        layers.append(nn.Linear(inputs, width, bias=bias))
        if norm != "none":
            layers.append(nn.BatchNorm1d(width) if norm == "batch" else nn.LayerNorm(width))
        layers.append(ACTIVATIONS[activation]())
        if dropout:
            layers.append(nn.Dropout(dropout))
        inputs = width
    return layers


def in_float32(layer: nn.Module, features: Tensor) -> Tensor:
    """A layer's outputs in float32 whatever the rest runs in: bf16 has eight bits, which place a box to a quarter of a
    pixel, and are too few to rank scores."""
    with torch.autocast(features.device.type, enabled=False):
        outputs: Tensor = layer(features.float())
    return outputs
