"""What autoencoders minimise."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from dlkit.config import NoOptions
from dlkit.errors import PluginError
from dlkit.task import Loss
from dlkit_autoencoder.info import AutoencoderInfo
from dlkit_autoencoder.options import ElboConfig

Outputs = Mapping[str, Tensor]


def mse(config: NoOptions, info: AutoencoderInfo) -> Loss[Outputs]:
    """The squared difference of image and reconstruction, mean over pixels in [0, 1] and the batch."""

    def loss(outputs: Outputs, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.mse_loss(outputs["image"], batch["image"])}

    return loss


def cross_entropy(config: NoOptions, info: AutoencoderInfo) -> Loss[Outputs]:
    """−x log y − (1 − x) log(1 − y), a pixel being the probability of white: mean over pixels and batch, in nats."""

    def loss(outputs: Outputs, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.binary_cross_entropy(outputs["image"].clamp(0, 1), batch["image"])}

    return loss


class Elbo:
    """The negative evidence lower bound (Kingma and Welling 2014, arXiv 1312.6114, eq. 3 and appendix B).

    ``reconstruction``: −log p(image | code), in nats an image. ``bernoulli`` takes a pixel for the probability of
    white. ``gaussian`` takes one variance for all pixels of an image, the one of the greatest likelihood, which is
    the mean squared error (as Rybkin et al. 2021, arXiv 2006.13202, who fit a batch's). Fitted to what it measures, it
    is no density: the loss is then no bound.

    ``kl``: the divergence of the posterior N(code, exp(log_variance)) from N(0, 1), in nats an image; of a model with
    another prior what it says itself, as ``kl`` [N].

    ``loss`` is the sum, the divergence weighted by ``beta`` (Higgins et al. 2017) times ``share``, a share of it in
    [0, 1] that a trainer may let rise. With a weight of 1 and ``bernoulli`` it bounds −log p(image), up to the draw
    from the posterior that stands for the mean over it: outside training that of ``drawn``, where the model has it.
    """

    def __init__(self, config: ElboConfig) -> None:
        self.beta = config.beta
        gaussian = _GAUSSIAN[config.variance]
        self._reconstruction = {"bernoulli": _bernoulli, "gaussian": gaussian}[config.likelihood]

    def __call__(self, outputs: Outputs, batch: Mapping[str, Tensor], share: float = 1.0) -> Mapping[str, Tensor]:
        if "log_variance" not in outputs:
            raise PluginError(f"loss 'elbo' needs log_variance [N,K]; this model returns: {', '.join(sorted(outputs))}")
        kl = (outputs["kl"] if "kl" in outputs else _from_standard_normal(outputs)).mean()
        reconstruction = self._reconstruction(outputs.get("drawn", outputs["image"]), batch["image"])
        return {"loss": reconstruction + self.beta * share * kl, "reconstruction": reconstruction, "kl": kl}


def elbo(config: ElboConfig, info: AutoencoderInfo) -> Elbo:
    return Elbo(config)


def _from_standard_normal(outputs: Outputs) -> Tensor:
    mean, log_variance = outputs["code"], outputs["log_variance"]
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def _bernoulli(found: Tensor, image: Tensor) -> Tensor:
    return F.binary_cross_entropy(found.clamp(0, 1), image, reduction="sum") / len(image)


def _gaussian(found: Tensor, image: Tensor) -> Tensor:
    """The mean over images of ½ n (log 2π σ² + 1), σ² being an image's mean squared error, n its values."""
    variance = (found - image).square().flatten(1).mean(1).clamp_min(_ROUNDING)
    return (0.5 * image[0].numel() * (torch.log(2 * math.pi * variance) + 1)).mean()


def _gaussian_of_batch(found: Tensor, image: Tensor) -> Tensor:
    """The same with σ² the batch's: no mean over images, so that it depends on which of them a batch has."""
    variance = F.mse_loss(found, image).clamp_min(1e-8)
    return 0.5 * image[0].numel() * (torch.log(2 * math.pi * variance) + 1)


_GAUSSIAN = {"image": _gaussian, "batch": _gaussian_of_batch}
_ROUNDING = 1 / (12 * 255**2)
"""Variance of what is lost where a pixel becomes one of 256 values: no image is known better."""
