"""Pixels to model input and back: one arithmetic for stored splits, batches on the device, and people's images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dlkit.data.splits import Batch

_CHUNK = 256


class Encoding:
    """(pixel / 255 − mean) / std per channel, as ``pixel · scale − shift`` in float32.

    As a split's ``transform`` it normalises a batch of uint8 images on the device.
    """

    def __init__(self, mean: npt.ArrayLike, std: npt.ArrayLike) -> None:
        self.mean, self.std = np.asarray(mean, np.float32), np.asarray(std, np.float32)
        self._constants: dict[torch.device, tuple[Tensor, Tensor]] = {}

    def __call__(self, batch: Batch) -> Batch:
        return {**batch, "image": self.encode(batch["image"])}

    def encode(self, images: Tensor) -> Tensor:
        """uint8 [N,C,H,W] → float32 of the same shape and device."""
        return self._normalise(images.to(torch.float32))

    def encoded(self, images: Tensor, index: Tensor) -> Tensor:
        """The rows at ``index`` encoded, straight into their final memory: no second copy, even of a part."""
        result = torch.empty((len(index), *images.shape[1:]))
        for first in range(0, len(index), _CHUNK):
            part = result[first : first + _CHUNK]
            self._normalise(part.copy_(images.index_select(0, index[first : first + _CHUNK])))
        return result

    def pixels(self, images: Tensor) -> npt.NDArray[np.uint8]:
        """Model input [N,C,H,W] as pictures: uint8 [N,H,W,3] for three channels, else [N,H,W] of the first."""
        scale, shift = self._on(images.device)
        values = ((images.float() + shift) / scale).round().clamp(0, 255).to(torch.uint8).cpu()
        return values.permute(0, 2, 3, 1).contiguous().numpy() if images.shape[1] == 3 else values[:, 0].numpy()

    def _normalise(self, values: Tensor) -> Tensor:
        """In place."""
        # A multiplication and a subtraction in place, where (x / 255 − mean) / std is three passes and three copies.
        scale, shift = self._on(values.device)
        return values.mul_(scale).sub_(shift)

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        # Made once a device: a copy at every batch would wait for it.
        if device not in self._constants:
            scale, shift = 1 / (255 * self.std), self.mean / self.std
            self._constants[device] = tuple(  # type: ignore[assignment]
                torch.from_numpy(values.astype(np.float32))[:, None, None].to(device) for values in (scale, shift)
            )
        return self._constants[device]


def channel_statistics(images: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean and standard deviation per channel of uint8 [N,C,H,W], scaled to [0, 1].

    Sums are of integers, so neither order nor chunks change a bit. A constant channel has deviation 1.
    """
    total, squares = (np.zeros(images.shape[1], np.int64) for _ in range(2))
    for first in range(0, len(images), _CHUNK):
        chunk = images[first : first + _CHUNK].astype(np.int64)
        total += chunk.sum((0, 2, 3))
        squares += (chunk * chunk).sum((0, 2, 3))
    count = images.size / images.shape[1]
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return (mean / 255).astype(np.float32), (np.where(std > 0, std, 255) / 255).astype(np.float32)
