"""What regression minimises: means over the batch of an error between standardised values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor

from dlkit.config import NoOptions
from dlkit_regression.info import RegressionInfo
from dlkit_regression.options import HuberConfig

Loss = Callable[[Tensor, Mapping[str, Tensor]], Mapping[str, Tensor]]


def mse(config: NoOptions, info: RegressionInfo) -> Loss:
    """Squared error."""
    return lambda outputs, batch: {"loss": F.mse_loss(outputs, batch["target"])}


def mae(config: NoOptions, info: RegressionInfo) -> Loss:
    """Absolute error."""
    return lambda outputs, batch: {"loss": F.l1_loss(outputs, batch["target"])}


def huber(config: HuberConfig, info: RegressionInfo) -> Loss:
    """½e² up to δ, δ(|e| − ½δ) beyond (Huber 1964, Annals of Mathematical Statistics 35, 73–101)."""
    delta = config.delta
    return lambda outputs, batch: {"loss": F.huber_loss(outputs, batch["target"], delta=delta)}
