"""The variational autoencoder: a distribution over codes for each image, and one of all codes to draw new ones from."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from dlkit.data.randomness import content_seeds
from dlkit_autoencoder.convolutional import Convolutional, divisible
from dlkit_autoencoder.info import AutoencoderInfo
from dlkit_autoencoder.options import VariationalConfig

_POSTERIOR_SEED = 0x5EED
_SPREAD = 8.0
"""Bound of a posterior's log variance, so that no exponential overflows."""


class Variational(Convolutional):
    """A normal posterior for each image (Kingma and Welling 2014, arXiv 1312.6114); ``code`` is its mean.

    In training the reconstruction is that of a draw from it, from torch's global generator, otherwise of the mean; then
    ``drawn`` is that of a draw, a function of the image, for losses that are about all codes and not the likeliest.
    """

    encoded = 2

    def __init__(self, shape: tuple[int, int, int], config: VariationalConfig) -> None:
        super().__init__(shape, config)
        self.mixture = Mixture(config.components, config.code)
        self.prior = config.code + 1
        self._bound = config.bound

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        mean, log_variance = self.encoder(image).float().chunk(2, 1)
        log_variance = log_variance.clamp(-_SPREAD, _SPREAD)
        deviation = (0.5 * log_variance).exp()
        code = mean + deviation * torch.randn_like(mean) if self.training else mean
        kl = self.mixture.divergence(mean, log_variance)
        found = {"image": self.decode(code), "code": mean, "log_variance": log_variance, "kl": kl}
        if self._bound and not self.training and not torch.compiler.is_exporting():  # of the image's own bytes
            found["drawn"] = self.decode(mean + deviation * _fixed_noise(image, mean))
        return found

    def new_codes(self, noise: Tensor) -> Tensor:
        """Codes [N,K] from the prior, of independent standard normal numbers [N,prior]."""
        return self.mixture.draw(noise)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """What Muon is for: all matrices and filters but those of the pixels, and of the prior."""
        networks = [*self.encoder.parameters(), *self.decoder.parameters()]
        return [parameter for parameter in networks if parameter.dim() > 1][:-1]


class Mixture(nn.Module):
    """The prior: normal distributions N(m, diag s) in a mixture, learnt with the rest; one alone stays N(0, 1).

    Digits of ten kinds do not lie as one normal distribution: a draw from that falls between them.
    """

    def __init__(self, components: int, code: int) -> None:
        super().__init__()
        learnt = components > 1
        self.mean = nn.Parameter(torch.randn(components, code) if learnt else torch.zeros(1, code), learnt)
        self.log_variance = nn.Parameter(torch.zeros(components, code), learnt)
        self.logits = nn.Parameter(torch.zeros(components), learnt)

    def divergence(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """KL[N(mean, exp(log_variance)) | prior], [N] in nats, for posteriors [N,K].

        Exact for one component; for several the bound −log Σ π exp(−KL[q | p]) (Hershey and Olsen 2007, eq. 20), which
        lies above it: the evidence lower bound stays one.
        """
        difference = (mean[:, None] - self.mean).square() + log_variance.exp()[:, None]  # [N,M,K]
        ratio = self.log_variance - log_variance[:, None]
        kl = 0.5 * (ratio + difference / self.log_variance.exp() - 1).sum(2)
        return -torch.logsumexp(self.logits.log_softmax(0) - kl, 1)

    def draw(self, noise: Tensor) -> Tensor:
        """Codes [N,K] of standard normal numbers [N,K+1], the last of which chooses the component."""
        chance = 0.5 * (1 + torch.erf(noise[:, -1] / math.sqrt(2)))
        edges = self.logits.softmax(0).cumsum(0)
        which = torch.searchsorted(edges, chance.contiguous()).clamp_max(len(edges) - 1)
        return self.mean[which] + (0.5 * self.log_variance[which]).exp() * noise[:, :-1]


def _fixed_noise(image: Tensor, like: Tensor) -> Tensor:
    """Normal numbers [N,K] by the images' content."""
    noise = torch.empty(like.shape)
    for row, seed in zip(noise, content_seeds(image), strict=True):
        row.normal_(generator=torch.Generator().manual_seed(_POSTERIOR_SEED + seed))
    return noise.to(like.device)


def build(config: VariationalConfig, info: AutoencoderInfo) -> Variational:
    return Variational(divisible(info), config)
