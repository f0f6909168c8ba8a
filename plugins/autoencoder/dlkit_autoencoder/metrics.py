"""How much of an image is lost on the way through the code, and how short the code is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

SOME = 1000
"""Images of an evaluation that a denoising model restores while it trains."""


class AutoencoderMetrics:
    """``mse`` over pixels in [0, 1], ``psnr`` in dB from it (peak 1), ``compression_ratio``.

    The ratio is of numbers: the values of an image to those of its code. Of a model that restores corrupted images
    also ``psnr_corrupted`` and ``psnr_restored``, of the same images before and after, against the clean ones; while a
    run trains, of the first 1,000 images. A PSNR without any error is infinite, and left out.
    """

    def __init__(self) -> None:
        self._errors: dict[str, Tensor | None] = dict.fromkeys(("clean", "corrupted", "restored"))
        self._seen: Tensor | None = None
        self._asked: Tensor | None = None
        self._looked = 0
        self._size = self._code = 0

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        image = batch["image"]
        self._size, self._code = image[0].numel(), outputs["code"][0].numel()
        self._add("clean", outputs["image"], image)
        self._seen = _plus(self._seen, torch.tensor(len(image)))

    def ask(self, model: Any, batch: Mapping[str, Tensor], thorough: bool) -> None:
        """Have a denoising model restore the batch, corrupted as it always is in evaluation."""
        if not hasattr(model, "corrupted") or (self._looked >= SOME and not thorough):
            return
        image = batch["image"]
        corrupted = model.corrupted(image)
        self._add("corrupted", corrupted, image)
        self._add("restored", model(corrupted)["image"], image)
        self._asked = _plus(self._asked, torch.tensor(len(image)))
        self._looked += len(image)

    def reduce(self, over_ranks: Callable[[Tensor | None], Tensor | None]) -> None:
        """Add up what several processes have seen."""
        self._errors = {name: over_ranks(error) for name, error in self._errors.items()}
        self._seen, self._asked = over_ranks(self._seen), over_ranks(self._asked)

    def compute(self) -> dict[str, float]:
        if self._seen is None or not self._size:
            return {}
        mse = self._mean("clean", self._seen)
        found = {"mse": mse, "psnr": psnr(mse), "compression_ratio": self._size / self._code}
        if self._asked is not None:
            found |= {f"psnr_{name}": psnr(self._mean(name, self._asked)) for name in ("corrupted", "restored")}
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def _add(self, name: str, found: Tensor, image: Tensor) -> None:
        self._errors[name] = _plus(self._errors[name], (found.float() - image).square().sum())

    def _mean(self, name: str, count: Tensor) -> float:
        return float(self._errors[name] or 0) / (int(count) * self._size)


def psnr(mse: float) -> float:
    """The peak signal-to-noise ratio in dB of images in [0, 1]; infinite without an error."""
    return -10 * math.log10(mse) if mse > 0 else math.inf


def _plus(total: Tensor | None, value: Tensor) -> Tensor:
    return value if total is None else total + value
