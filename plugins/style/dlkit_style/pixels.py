"""Arithmetic of pictures as tensors [C,H,W] in [0, 1]."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""What red, green and blue count in how light a pixel is (ITU-R BT.601, the Y of YIQ)."""


def scaled(pixels: npt.NDArray[np.uint8]) -> Tensor:
    return torch.as_tensor(pixels).to(torch.float32) / 255


def halved(height: int, width: int, times: int) -> tuple[int, int]:
    return max(1, round(height / 2**times)), max(1, round(width / 2**times))


def resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """[C,H,W] at another size (bicubic, antialiased); of that size, itself."""
    if image.shape[1:] == size:
        return image
    return F.interpolate(image[None], size, mode="bicubic", align_corners=False, antialias=True)[0]


def covering(image: Tensor, other: Tensor) -> Tensor:
    """The middle of an image, at another's size."""
    height, width = other.shape[1:]
    factor = max(height / image.shape[1], width / image.shape[2])
    size = max(height, round(image.shape[1] * factor)), max(width, round(image.shape[2] * factor))
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return resized(image, size)[:, top : top + height, left : left + width].clamp(0, 1)


def luma(image: Tensor) -> Tensor:
    """[…,3,H,W] → […,1,H,W]."""
    return (image * image.new_tensor(LUMA)[:, None, None]).sum(-3, keepdim=True)


def alike(light: Tensor, other: Tensor) -> Tensor:
    """A picture's lightness with another's mean and deviation (Gatys et al. 2016, section 3.4)."""
    return (light - light.mean()) * (other.std() / light.std().clamp(min=1e-6)) + other.mean()


def distance(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean square of the difference, relative to that of what is wanted: networks and layers compare."""
    return F.mse_loss(found, wanted) / wanted.square().mean().clamp(min=1e-12)
