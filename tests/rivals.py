"""A generator of the toy plane's points against a discriminator, for tests of adversarial training."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from extras_options import RivalsConfig
from toy_options import ToyInfo

LATENT = 4


class Rivals(nn.Module):
    """``forward`` is the discriminator's verdict on points [N,D], shaped as the task wants it: [N]."""

    def __init__(self, features: int, config: RivalsConfig) -> None:
        super().__init__()
        norm = [nn.BatchNorm1d(8)] if config.norm else []
        self.generator = nn.Sequential(nn.Linear(LATENT, 8), *norm, nn.ReLU(), nn.Linear(8, features))
        self.discriminator = nn.Sequential(
            nn.Linear(features, 8), nn.LeakyReLU(0.2), nn.Dropout(config.dropout), nn.Linear(8, 1), nn.Flatten(0)
        )
        self._given = config.given

    def latents(self, count: int) -> Tensor:
        device = next(self.generator.parameters()).device
        return torch.ones(count, LATENT, device=device) if self._given else torch.randn(count, LATENT, device=device)

    def forward(self, points: Tensor) -> Tensor:
        verdict: Tensor = self.discriminator(points)
        return verdict


def build(config: RivalsConfig, info: ToyInfo) -> nn.Module:
    return Rivals(info.features, config)


class Rivalry:
    """Sigmoid cross-entropy of both."""

    def __init__(self, config: Any, info: ToyInfo) -> None:
        pass

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        return F.softplus(-fake).mean()
