"""Differentiable augmentation (Zhao et al. 2020, arXiv 2006.10738): keeps a discriminator from learning a small set by
heart. Real and drawn images are changed alike, so the generator is not taught the changes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.data.augment import pick_pixels

SHIFT = 1 / 8
"""Of the side: how far a translation moves an image at most; what it leaves is black (−1)."""
HOLE = 1 / 2
"""Of the side: the square that a cutout covers, wherever its middle falls inside the image."""


class DifferentiableAugment(nn.Module):
    """Changes images [N,C,H,W] in [−1, 1] in training, each by itself, from torch's global generator."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = list(names)

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            for name in self.names:
                images = CHANGES[name](images)
        return images

    def extra_repr(self) -> str:
        return ", ".join(self.names)


def brightness(images: Tensor) -> Tensor:
    """Up to a quarter of the range lighter or darker."""
    return images + (_uniform(images) - 0.5)


def contrast(images: Tensor) -> Tensor:
    """Differences from an image's mean by a factor of ½ to 1½."""
    mean = images.mean((1, 2, 3), keepdim=True)
    return (images - mean) * (_uniform(images) + 0.5) + mean


def translation(images: Tensor) -> Tensor:
    """Moved by up to SHIFT of the side, both ways."""
    height, width = images.shape[2:]
    most = int(height * SHIFT + 0.5), int(width * SHIFT + 0.5)
    padded = F.pad(images, (most[1], most[1], most[0], most[0]), value=-1)
    rows, columns = (
        torch.randint(0, 2 * limit + 1, (len(images), 1), device=images.device)
        + torch.arange(size, device=images.device)
        for limit, size in zip(most, (height, width), strict=True)
    )
    return pick_pixels(padded, rows, columns)


def cutout(images: Tensor) -> Tensor:
    """A square of HOLE of the side made mid-grey (0)."""
    inside = []
    for size in images.shape[2:]:
        middle = torch.randint(0, size, (len(images), 1), device=images.device)
        inside.append((torch.arange(size, device=images.device) - middle).abs() * 2 < size * HOLE)
    return images.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0)


CHANGES = {"brightness": brightness, "contrast": contrast, "translation": translation, "cutout": cutout}


def _uniform(images: Tensor) -> Tensor:
    """A number in [0, 1) for each image: [N,1,1,1]."""
    return torch.rand(len(images), 1, 1, 1, device=images.device)
