"""What the models' last layers share."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def full_precision(layer: nn.Module, features: Tensor) -> Tensor:
    """The layer in float32 whatever the rest runs in: bf16's eight bits would place a box to a quarter of a pixel."""
    with torch.autocast(features.device.type, enabled=False):
        outputs: Tensor = layer(features.float())
    return outputs
