"""What the plugin ``headed`` is made of."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor, nn

from dlkit.config import Config
from dlkit.data.splits import Batch
from dlkit.nn.frozen import freeze
from toy_options import ToyInfo


class HeadedConfig(Config):
    """Options of the model ``headed``."""

    width: int = Field(8, ge=1, description="Units of the frozen layer")
    touched: int = Field(0, ge=0, description="The step at which the frozen layer is changed all the same; 0: never")


class Headed(nn.Module):
    """x [N,D] → [N]."""

    def __init__(self, features: int, config: HeadedConfig) -> None:
        super().__init__()
        self.backbone = freeze(nn.Sequential(nn.Linear(features, config.width), nn.BatchNorm1d(config.width)))
        self.head = nn.Linear(config.width, 1)
        self.touched, self.steps = config.touched, 0

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.touched:
            self.steps += 1
            if self.steps == self.touched:
                with torch.no_grad():
                    next(self.backbone.parameters()).add_(1)
        return self.head(self.backbone(x)).squeeze(1)


def build_headed(config: HeadedConfig, info: ToyInfo) -> nn.Module:
    return Headed(info.features, config)


class Uncertain(nn.Module):
    """The negative log-likelihood of y under a normal distribution, its deviation learned (Kendall and Gal 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.randn(()))
        self.scale = freeze(nn.Linear(1, 1, bias=False))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        if torch.is_grad_enabled():
            self.seen += 1
        error = self.scale((outputs - batch["y"])[:, None]).square().mean()
        return {"loss": error / self.log_variance.exp() + self.log_variance}


def build_uncertain(config: Config, info: ToyInfo) -> nn.Module:
    return Uncertain()
