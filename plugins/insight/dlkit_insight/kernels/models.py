"""Kernels that are given, and one that is learnt."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.errors import UsageError
from dlkit_insight.kernels.info import KernelsInfo
from dlkit_insight.kernels.known import parse
from dlkit_insight.kernels.options import FixedConfig, LearntConfig

_LEAST = 1e-6
"""Of the largest moment: the directions in which patches vary less are not stretched any further."""


def padded(images: Tensor, border: str, height: int, width: int) -> Tensor:
    """Images [N,C,H,W] with what lies beyond them, so that a kernel [height,width] gives as many pixels as they have.

    Its middle is at [height // 2, width // 2], as OpenCV's anchor is.
    """
    before, after = (height // 2, width // 2), ((height - 1) // 2, (width - 1) // 2)
    if border == "zero":
        return F.pad(images, (before[1], after[1], before[0], after[0]))
    for axis, size in ((2, images.shape[2]), (3, images.shape[3])):
        reach = torch.arange(-before[axis - 2], size + after[axis - 2], device=images.device)
        images = images.index_select(axis, _places(reach, size, border))
    return images


def _places(reach: Tensor, size: int, border: str) -> Tensor:
    """Which of ``size`` pixels stands at these places: also where the border is wider than the image.

    On the device: to bring a table there would wait for it at every step.
    """
    # With sizes as tensors: ONNX has no remainder by a number that only running tells.
    sizes = torch.full_like(reach, size)
    if border == "replicate":
        return torch.minimum(reach.clamp(min=0), sizes - 1)
    if border == "wrap":
        return reach.remainder(sizes)
    edge = int(border == "reflect")  # the outermost pixel stands once
    there = reach.remainder((2 * (sizes - edge)).clamp(min=1))
    return torch.minimum(there, 2 * sizes - 1 - edge - there)


def filtered(images: Tensor, kernel: Tensor, border: str) -> Tensor:
    """Images [N,C,H,W], each channel filtered by a kernel [h,w]; of the same shape."""
    count, channels, height, width = images.shape
    wide = padded(images, border, *kernel.shape)
    found = F.conv2d(wide.reshape(count * channels, 1, *wide.shape[2:]), kernel[None, None].to(wide))
    return found.reshape(count, channels, height, width)


class Fixed(nn.Module):
    """image [N,C,H,W] → [N,K,C,H,W]: nothing to train."""

    def __init__(self, config: FixedConfig, info: KernelsInfo) -> None:
        super().__init__()
        self.border = info.border
        self.names = list(kernels := parse(config.kernel))
        for number, rows in enumerate(kernels.values()):
            self.register_buffer(f"kernel_{number}", torch.tensor(rows, dtype=torch.float32))

    def kernels(self) -> dict[str, Tensor]:
        return dict(zip(self.names, self.buffers(), strict=True))

    def forward(self, image: Tensor) -> Tensor:
        return torch.stack([filtered(image, kernel, self.border) for kernel in self.buffers()], 1)


class Learnt(nn.Module):
    """image [N,C,H,W] → [N,1,C,H,W] by one kernel, which begins as small random numbers.

    Neighbouring pixels are alike: what patches vary most in is their brightness, some 10 000 times as much as in their
    finest detail, and gradient descent is as many times slower in that. So the weights are the kernel's coordinates in
    a basis in which patches vary equally in all directions (ZCA, Bell and Sejnowski 1997), if ``whiten`` says so.
    """

    basis: Tensor

    def __init__(self, config: LearntConfig, info: KernelsInfo) -> None:
        super().__init__()
        self.border = info.border
        self.size = config.size
        count = config.size[0] * config.size[1]
        basis = _whitening(info, config.size) if config.whiten else torch.eye(count)
        self.register_buffer("basis", basis)
        begun = 0.1 * torch.randn(count)
        if info.clipped:  # near the image itself: what is cut off at black has no gradient
            begun[config.size[0] // 2 * config.size[1] + config.size[1] // 2] += 1
        self.weight = nn.Parameter(torch.linalg.solve(basis, begun))

    def kernels(self) -> dict[str, Tensor]:
        return {"learnt": self.kernel().detach()}

    def kernel(self) -> Tensor:
        """[h,w]."""
        return (self.basis @ self.weight).view(self.size)

    def forward(self, image: Tensor) -> Tensor:
        return filtered(image, self.kernel(), self.border)[:, None]


def fixed(config: FixedConfig, info: KernelsInfo) -> nn.Module:
    return Fixed(config, info)


def learnt(config: LearntConfig, info: KernelsInfo) -> nn.Module:
    return Learnt(config, info)


def _whitening(info: KernelsInfo, size: tuple[int, int]) -> Tensor:
    """The inverse root [hw,hw] of the mean product of two pixels of a patch, which depends on their distance alone."""
    reach = info.moments.shape[0] // 2
    if max(size) > reach + 1:
        raise UsageError(f"model.size = {size[0]},{size[1]}: these images are known for up to {reach + 1} pixels")
    rows, columns = (axis.ravel() for axis in np.mgrid[: size[0], : size[1]])
    products = info.moments[reach + rows[:, None] - rows, reach + columns[:, None] - columns]
    values, vectors = np.linalg.eigh(products)
    stretched = (vectors / np.sqrt(np.maximum(values, _LEAST * values[-1]))) @ vectors.T
    return torch.from_numpy(stretched.astype(np.float32))
