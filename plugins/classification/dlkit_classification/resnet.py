"""A small residual network made for speed: pooled stages, few wide blocks, and a stem that whitens."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from dlkit.errors import UsageError
from dlkit.nn.layers import convolution
from dlkit.nn.residual import Residual
from dlkit_classification.info import ClassificationInfo
from dlkit_classification.options import ResnetConfig
from dlkit_classification.patches import PATCH

_FLOOR = 1e-2
"""Added to a patch component's variance, so that directions of mere noise are not blown up."""


class ResNet(nn.Module):
    """image [N,C,H,W] → logits [N,classes].

    A stem, then for each width a stage: 3×3 convolution, 2×2 maximum, batch norm, ReLU, and residual blocks. What is
    left of the image is pooled to a vector, and the logits are scaled down, which keeps the first steps calm (both
    as in Jordan 2024, arXiv 2404.00498).
    """

    def __init__(self, config: ResnetConfig, info: ClassificationInfo) -> None:
        super().__init__()
        channels, height, width = info.shape
        self.stem = _stem(config, channels, info.patches)
        side = (min(height, width) + 2 * (config.stem_kernel // 3) - config.stem_kernel) // config.stem_stride + 1
        stages: list[nn.Module] = []
        for (before, after), blocks in zip(pairwise([config.stem_width, *config.widths]), config.blocks, strict=True):
            stages.append(_Stage(before, after, blocks, config.block_convolutions, pool=side >= 2))
            side = max(1, side // 2)
        self.stages = nn.Sequential(*stages)
        # Not AdaptiveMaxPool2d: its gradient on CUDA has no deterministic kernel.
        self.pool = torch.amax if config.pooling == "max" else torch.mean
        self.head = nn.Linear(config.widths[-1], len(info.classes), bias=False)
        self.scale = config.logit_scale
        self.mirror = config.mirror

    def forward(self, image: Tensor) -> Tensor:
        # Part of the model and not of the evaluation, so that predictions do it too.
        if self.mirror and not self.training:
            return (self._logits(image) + self._logits(image.flip(3))) / 2
        return self._logits(image)

    def _logits(self, image: Tensor) -> Tensor:
        features = self.pool(self.stages(self.stem(image)), (2, 3))
        logits: Tensor = self.head(features) * self.scale
        return logits


class _Stage(nn.Module):
    def __init__(self, before: int, after: int, blocks: int, convolutions: int, *, pool: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.pool = nn.MaxPool2d(2) if pool else nn.Identity()
        self.norm = nn.BatchNorm2d(after)
        self.blocks = nn.Sequential(*(_residual(after, convolutions) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.blocks(self.norm(self.pool(self.convolution(x))).relu_())
        return result


def build(config: ResnetConfig, info: ClassificationInfo) -> nn.Module:
    return ResNet(config, info)


def _residual(width: int, convolutions: int) -> Residual:
    layers = (layer for _ in range(convolutions) for layer in convolution(width, width))
    return Residual({"body": nn.Sequential(*layers)})


def _stem(config: ResnetConfig, channels: int, covariance: npt.NDArray[np.float32] | None) -> nn.Module:
    kernel = config.stem_kernel
    convolution = nn.Conv2d(channels, config.stem_width, kernel, config.stem_stride, kernel // 3, bias=False)
    if not config.whiten:
        return nn.Sequential(convolution, nn.BatchNorm2d(config.stem_width), nn.ReLU(inplace=True))
    if covariance is None:
        raise UsageError("model.whiten = true: this data set tells no covariance of patches (info.patches)")
    filters = whitening_filters(_corner(torch.from_numpy(covariance), channels, kernel), config.stem_width // 2)
    repeated = torch.cat([filters, -filters]).view(-1, channels, kernel, kernel)
    with torch.no_grad():
        convolution.weight[: len(repeated)] = repeated
    convolution.weight.requires_grad_(False)
    return nn.Sequential(convolution, nn.ReLU(inplace=True))


def _corner(covariance: Tensor, channels: int, side: int) -> Tensor:
    """The covariance of ``side``×``side`` patches, which those that the data set tells contain."""
    whole = covariance.view(channels, PATCH, PATCH, channels, PATCH, PATCH)
    return whole[:, :side, :side, :, :side, :side].reshape(channels * side * side, channels * side * side)


def whitening_filters(covariance: Tensor, count: int) -> Tensor:
    """The ``count`` strongest principal components of patches [D,D], scaled to unit variance: [min(count, D), D].

    Frozen as a stem, with their negatives, they spare the network learning them (Page 2019, "How to train your
    ResNet"). A component's sign is arbitrary: here its largest entry is positive.
    """
    variance, components = torch.linalg.eigh(covariance.double())
    variance, components = variance.flip(0)[:count], components.T.flip(0)[:count]
    signs = components.gather(1, components.abs().argmax(1, keepdim=True)).sign()
    scaled: Tensor = components * signs / (variance.clamp(min=0) + _FLOOR).sqrt()[:, None]
    return scaled.float()
