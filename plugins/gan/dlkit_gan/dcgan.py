"""DCGAN's two networks (Radford, Metz and Chintala 2016, arXiv 1511.06434), for images of 28, 32 and 64 pixels."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from dlkit.data.randomness import content_seeds
from dlkit.errors import UsageError
from dlkit_gan.augment import DifferentiableAugment
from dlkit_gan.info import GanInfo
from dlkit_gan.latents import of_seeds
from dlkit_gan.options import DcganConfig

DOUBLINGS = {28: 2, 32: 3, 64: 4}
"""Side of an image → how often the generator doubles it, from 7 or 4 pixels on."""


class Adversaries(nn.Module):
    """A generator and a discriminator, as ``dlkit.engine.adversarial`` wants them.

    A latent is ``latent`` standard normal numbers and, with ``kinds``, one of so many unit vectors, as long as those
    numbers are: images of ten digits do not lie as one cloud, and what is drawn from a single one falls between them
    (as Gurumurthy et al. 2017, arXiv 1706.02071, with fixed means of equal distance).
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, latent: int, kinds: int = 0, *, steady: bool = False
    ) -> None:
        super().__init__()
        self.generator, self.discriminator, self.latent, self.kinds = generator, discriminator, latent, kinds
        self._steady = steady

    def latents(self, count: int) -> Tensor:
        """[count,Z], from torch's global generator."""
        device = next(self.parameters()).device
        noise = torch.randn(count, self.latent, device=device)
        return self.joined(noise, torch.randint(self.kinds, (count,), device=device)) if self.kinds else noise

    def joined(self, noise: Tensor, kind: Tensor) -> Tensor:
        """Latents of standard normal numbers [N,latent] and kinds int64 [N]."""
        if not self.kinds:
            return noise
        return torch.cat([noise, self.latent**0.5 * F.one_hot(kind, self.kinds)], 1)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """As many images as it is given, drawn, and the verdicts: ``image`` [N,C,H,W], ``real`` and ``fake`` [N].

        ``steady``, outside training: what is drawn beside an image follows from it, in whatever batch it comes.
        """
        drawn = self.generator(self.latents_beside(images))
        return {"image": drawn, "real": self.discriminator(images), "fake": self.discriminator(drawn)}

    def latents_beside(self, images: Tensor) -> Tensor:
        """[N,Z], those that are drawn beside as many images."""
        if self.training or not self._steady:
            return self.latents(len(images))
        return of_seeds(self, content_seeds(images)).to(images.device)


def build(config: DcganConfig, info: GanInfo) -> nn.Module:
    """The model for images of ``info.shape``; UsageError for sizes that DCGAN has no form for."""
    channels, height, width = info.shape
    if height != width or height not in DOUBLINGS:
        raise UsageError(f"images of {height}x{width} pixels: model dcgan draws 28x28, 32x32 and 64x64")
    side, doublings = height // 2 ** DOUBLINGS[height], DOUBLINGS[height]
    drawing = _generator(config.latent + config.kinds, side, _widths(config.width, doublings), channels)
    judging = _discriminator(channels, _widths(config.discriminator_width or config.width, doublings), side, config)
    model = Adversaries(drawing, judging, config.latent, config.kinds, steady=info.judged > 0)
    if config.init == "normal":
        model.apply(_as_published)
    if config.norm == "spectral":
        for module in judging.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                spectral_norm(module)
    return model


def _widths(width: int, doublings: int) -> list[int]:
    """Filters from the smallest size to the largest."""
    return [width * 2**i for i in reversed(range(doublings))]


def _generator(latent: int, side: int, widths: list[int], channels: int) -> nn.Sequential:
    """[N,Z] → [N,C,H,W] in [−1, 1]: a projection, then fractionally strided convolutions, with batch norm and ReLU."""
    layers: list[nn.Module] = [
        nn.Linear(latent, widths[0] * side * side, bias=False),
        nn.Unflatten(1, (widths[0], side, side)),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(),
    ]
    for small, large in pairwise(widths):
        layers += [nn.ConvTranspose2d(small, large, 4, 2, 1, bias=False), nn.BatchNorm2d(large), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh())


def _discriminator(channels: int, widths: list[int], side: int, config: DcganConfig) -> nn.Sequential:
    """[N,C,H,W] → logits [N]: strided convolutions with leaky ReLU, the first without batch norm."""
    layers: list[nn.Module] = [DifferentiableAugment(config.augment)] if config.augment else []
    for number, filters in enumerate(reversed(widths)):
        normed = config.norm == "batch" and number > 0
        layers.append(nn.Conv2d(channels, filters, 4, 2, 1, bias=not normed))
        layers += [nn.BatchNorm2d(filters)] if normed else []
        layers.append(nn.LeakyReLU(0.2))
        channels = filters
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side * side, 1), nn.Flatten(0))


def _as_published(module: nn.Module) -> None:
    """Weights from N(0, 0.02), scales of batch norm from N(1, 0.02), shifts and biases 0."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(module.weight, 0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)
        nn.init.zeros_(module.bias)
