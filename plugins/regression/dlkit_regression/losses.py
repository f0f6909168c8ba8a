"""What regression minimises: means over the batch of an error between standardised values."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from dlkit.config import NoOptions
from dlkit.task import Loss
from dlkit_regression.info import RegressionInfo
from dlkit_regression.options import HuberConfig


def mse(config: NoOptions, info: RegressionInfo) -> Loss[Tensor]:
    """Squared error."""

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.mse_loss(outputs, batch["target"])}

    return loss


def mae(config: NoOptions, info: RegressionInfo) -> Loss[Tensor]:
    """Absolute error."""

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.l1_loss(outputs, batch["target"])}

    return loss


def huber(config: HuberConfig, info: RegressionInfo) -> Loss[Tensor]:
    """½e² up to δ, δ(|e| − ½δ) beyond (Huber 1964, Annals of Mathematical Statistics 35, 73–101)."""

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.huber_loss(outputs, batch["target"], delta=config.delta)}

    return loss
