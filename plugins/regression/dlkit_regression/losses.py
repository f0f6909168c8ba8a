"""What regression minimises: means over the batch of an error between standardised values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from dlkit.config import Config
from dlkit_regression.options import HuberConfig

Loss = Callable[[Tensor, Mapping[str, Tensor]], Mapping[str, Tensor]]


def mse(config: Config, info: Any) -> Loss:
    """Squared error."""
    return lambda outputs, batch: {"loss": F.mse_loss(outputs, batch["target"])}


def mae(config: Config, info: Any) -> Loss:
    """Absolute error."""
    return lambda outputs, batch: {"loss": F.l1_loss(outputs, batch["target"])}


def huber(config: HuberConfig, info: Any) -> Loss:
    """½e² up to δ, δ(|e| − ½δ) beyond (Huber 1964, Annals of Mathematical Statistics 35, 73–101)."""
    delta = config.delta
    return lambda outputs, batch: {"loss": F.huber_loss(outputs, batch["target"], delta=delta)}
