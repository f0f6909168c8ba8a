"""What generator and discriminator minimise, from logits [N]; the interface is ``dlkit.engine.adversarial``'s."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from dlkit.config import NoOptions
from dlkit_gan.info import GanInfo
from dlkit_gan.options import CrossEntropyConfig


class CrossEntropy:
    """Sigmoid cross-entropy, the generator's in its non-saturating form (Goodfellow et al. 2014, arXiv 1406.2661).

    One-sided label smoothing: the discriminator is to be 1 − smoothing sure of real images (Salimans et al. 2016,
    arXiv 1606.03498).
    """

    def __init__(self, config: CrossEntropyConfig, info: GanInfo) -> None:
        self._real = 1 - config.smoothing

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """−mean over both kinds of log-likelihood, added up."""
        wanted = torch.full_like(real, self._real)
        return F.binary_cross_entropy_with_logits(real, wanted) + F.softplus(fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """−mean log σ(fake)."""
        return F.softplus(-fake).mean()


class Hinge:
    """Hinge loss (Lim and Ye 2017, arXiv 1705.02894; with spectral norm, Miyato et al. 2018, arXiv 1802.05957)."""

    def __init__(self, config: NoOptions | None, info: GanInfo) -> None:
        pass

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """mean max(0, 1 − real) + mean max(0, 1 + fake)."""
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """−mean fake."""
        return -fake.mean()
