"""How much of an image is lost on the way through the code, and how short the code is."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dlkit.metrics.total import Total, reduce_all
from dlkit.task import SumOverRanks
from dlkit_autoencoder.principal import Floats, Principal

SOME = 1000
"""Images of an evaluation that a denoising model restores while it trains."""


class AutoencoderMetrics:
    """``mse`` over pixels in [0, 1], ``psnr`` in dB from it (peak 1), ``compression_ratio``.

    The ratio is of numbers: the values of an image to those of its code. Of a model that restores corrupted images
    also ``psnr_corrupted`` and ``psnr_restored``, of the same images before and after, against the clean ones; while a
    run trains, of the first 1,000 images. A PSNR without any error is infinite, and left out.

    ``pca_mse``: what the same images lose on the way through as many principal components of the training images as
    their codes have numbers; ``reference`` are these, as ``principal`` makes them. Left out where there are fewer.
    """

    def __init__(self, reference: Floats | None = None) -> None:
        self._principal = Principal(reference)
        self._errors = {name: Total() for name in ("clean", "corrupted", "restored")}
        # Numbers of the images seen and of their codes, not the sizes of one: a process may have seen none.
        self._seen, self._codes, self._asked = Total(), Total(), Total()
        self._looked = 0

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        image = batch["image"]
        self._add("clean", outputs["image"], image)
        self._principal.add(image, outputs["code"][0].numel())
        self._seen.add(torch.tensor(image.numel()))
        self._codes.add(torch.tensor(outputs["code"].numel()))

    def ask(self, model: nn.Module, batch: Mapping[str, Tensor], thorough: bool) -> None:
        """Have a denoising model restore the batch, corrupted as it always is in evaluation."""
        corrupt = getattr(model, "corrupted", None)
        if corrupt is None or (self._looked >= SOME and not thorough):
            return
        image = batch["image"]
        corrupted = corrupt(image)
        self._add("corrupted", corrupted, image)
        self._add("restored", model(corrupted)["image"], image)
        self._asked.add(torch.tensor(image.numel()))
        self._looked += len(image)

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        reduce_all([*self._errors.values(), self._seen, self._codes, self._asked, self._principal.total], over_ranks)

    def compute(self) -> dict[str, float]:
        if self._seen.value is None or self._codes.value is None:
            return {}
        mse = self._mean("clean", self._seen.value)
        found = {"mse": mse, "psnr": psnr(mse), "compression_ratio": int(self._seen.value) / int(self._codes.value)}
        if lost := self._principal.total.numbers():
            found["pca_mse"] = sum(lost) / int(self._seen.value)
        if (asked := self._asked.value) is not None:
            found |= {f"psnr_{name}": psnr(self._mean(name, asked)) for name in ("corrupted", "restored")}
        # A metric that is not finite would fail the run; to lose nothing is not a failure.
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def _add(self, name: str, found: Tensor, image: Tensor) -> None:
        self._errors[name].add((found.float() - image).square().sum())

    def _mean(self, name: str, count: Tensor) -> float:
        return sum(self._errors[name].numbers()) / int(count)


def psnr(mse: float) -> float:
    """The peak signal-to-noise ratio in dB of images in [0, 1]; infinite without an error."""
    return -10 * math.log10(mse) if mse > 0 else math.inf
