"""``spotlight``: a small residual network that looks all over the image and answers from where the object is.

Every place of a coarse grid says how likely the object's middle is there (Luvizon et al. 2017, arXiv 1710.02322, make
such a map differentiable by a softmax), how far the object reaches from it to the four sides (as FCOS does, Tian et al.
2019, arXiv 1904.01355), and what it would see there. The answer is their mean, weighted by the map: the network is the
same wherever the object is, so it need not learn every place anew as dense layers must.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit_localization.options import SpotlightConfig

_SIDES = 4
"""Left, top, right, bottom."""
_REACH = 2.0
"""Places that an object reaches to each side, at the beginning (before softplus)."""


class Spotlight(nn.Module):
    """image [N,C,H,W] → outputs [N, 5 + classes].

    The stem and every stage halve the image; the last two stages' features, the coarser ones doubled,
    are joined in the neck, whose grid is the map's.
    """

    def __init__(self, config: SpotlightConfig, info: Any) -> None:
        super().__init__()
        channels, height, width = info.shape
        self.stem = _convolution(channels, config.stem_width, 5, stride=2)
        pairs = zip(pairwise([config.stem_width, *config.widths]), config.blocks, strict=True)
        self.stages = nn.ModuleList(_stage(before, after, blocks) for (before, after), blocks in pairs)
        self.fine = nn.Conv2d(config.widths[-2], config.neck, 1, bias=False)
        self.coarse = nn.Conv2d(config.widths[-1], config.neck, 1, bias=False)
        self.neck = nn.Sequential(
            nn.BatchNorm2d(config.neck), nn.ReLU(inplace=True), _convolution(config.neck, config.neck, 3)
        )
        self.grid = nn.Conv2d(config.neck, 1 + _SIDES, 1)
        self.present = nn.Linear(config.neck + 1, 1)
        self.classes = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(config.neck + config.widths[-1], len(info.classes))
        )
        stride = 2 ** len(config.widths)  # of the grid, in pixels
        self.step = stride / width, stride / height
        nn.init.constant_(_vector(self.grid.bias)[1:], _REACH)

    def forward(self, image: Tensor) -> Tensor:
        fine, coarse = self._features(image)
        doubled = F.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest")
        features = self.neck(self.fine(fine) + doubled[:, :, : fine.shape[2], : fine.shape[3]])
        grid = self.grid(features)
        with torch.autocast(image.device.type, enabled=False):  # boxes to fractions of a pixel
            return self._answer(grid.float(), features.float(), coarse.float())

    def _features(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The last two stages' outputs."""
        values = self.stem(image)
        found = [values := stage(values) for stage in self.stages]
        return found[-2], found[-1]

    def _answer(self, grid: Tensor, features: Tensor, coarse: Tensor) -> Tensor:
        height, width = grid.shape[2:]
        logits = grid[:, 0].flatten(1)  # [N, places]
        weights = logits.softmax(1)
        seen = torch.einsum("np,nkp->nk", weights, features.flatten(2))
        blurred = F.avg_pool2d(weights.view(-1, 1, height, width), 2, ceil_mode=True, count_include_pad=False)
        blurred = blurred.flatten(1) / blurred.flatten(1).sum(1, keepdim=True)
        around = torch.einsum("np,nkp->nk", blurred, coarse.flatten(2))
        present = self.present(torch.cat([seen, logits.amax(1, keepdim=True)], 1))
        return torch.cat([present, self._box(weights, grid[:, 1:]), self.classes(torch.cat([seen, around], 1))], 1)

    def _box(self, weights: Tensor, reach: Tensor) -> Tensor:
        """The mean [N,4] of the boxes that the places [N,4,h,w] propose, relative: centre, width, height."""
        height, width = reach.shape[2:]
        left, top, right, bottom = (weights[:, None] * F.softplus(reach).flatten(2)).sum(2).unbind(1)
        y, x = (weights.view(-1, height, width).sum(axis) for axis in (2, 1))
        columns, rows = (torch.arange(n, device=weights.device) + 0.5 for n in (width, height))
        x, y = (x * columns).sum(1), (y * rows).sum(1)
        across, down = self.step
        box = (x + (right - left) / 2, y + (bottom - top) / 2, left + right, top + bottom)
        return torch.stack([v * s for v, s in zip(box, (across, down, across, down), strict=True)], 1)


class _Residual(nn.Module):
    """x + f(x), f being a convolution, batch norm and ReLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = _convolution(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.body(x)
        return result


def build(config: SpotlightConfig, info: Any) -> nn.Module:
    return Spotlight(config, info)


def _convolution(before: int, after: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


def _stage(before: int, after: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(_convolution(before, after, 3, stride=2), *(_Residual(after) for _ in range(blocks)))


def _vector(bias: Tensor | None) -> Tensor:
    assert bias is not None
    return bias
