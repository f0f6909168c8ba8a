"""A closer look: the square around a box, brought to one size, and what a small network sees in it."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.nn.layers import convolution

_MARGIN = 1.2
"""Side of the square as a multiple of the box's longer side."""
_SMALLEST = 0.1
"""Least side of the square, as a share of the image's shorter side: a box means nothing yet when training begins."""


def cut_out(image: Tensor, box: Tensor, side: int, jitter: float = 0.0) -> Tensor:
    """The squares around boxes, read off images [N,C,H,W] at side × side points (bilinear; 0 beyond the image).

    ``box`` [N,4]: centre x, y, width, height, relative. The differentiable crop of Jaderberg et al. 2015 (arXiv
    1506.02025), with the object's proportions kept. ``jitter`` bounds what each square is turned (in radians), resized
    (as an exponent) and moved by at random (as a share of its side; half of it).
    """
    height, width = image.shape[2:]
    shorter = min(height, width)
    longest = torch.maximum(box[:, 2] * width, box[:, 3] * height) * _MARGIN
    square = longest.clamp(_SMALLEST * shorter, 2.0 * shorter)  # in pixels
    turn, size, right, down = (torch.rand(4, box.shape[0], 1, 1, device=image.device) * 2 - 1) * jitter
    steps = ((torch.arange(side, device=image.device) + 0.5) / side - 0.5) * size.exp()
    across, along = steps[:, :1] + right / 2, steps.mT + down / 2
    x, y = across * turn.cos() - along * turn.sin(), across * turn.sin() + along * turn.cos()
    columns = box[:, 0, None, None] + x * (square / width)[:, None, None]
    rows = box[:, 1, None, None] + y * (square / height)[:, None, None]
    return F.grid_sample(image, torch.stack([columns, rows], 3) * 2 - 1, align_corners=False)


class Glimpse(nn.Module):
    """[N,C,side,side] → features [N, ``features``]: stages that each halve the picture, then a residual block."""

    def __init__(self, channels: int, widths: list[int], side: int) -> None:
        super().__init__()
        stages = [convolution(before, after, 3) for before, after in pairwise([channels, *widths])]
        self.stages = nn.ModuleList(stages)
        self.last = convolution(widths[-1], widths[-1], 3)
        left = side
        for _ in widths:
            left = -(-left // 2)
        self.features = widths[-1] * left**2

    def forward(self, picture: Tensor) -> Tensor:
        values = picture
        for stage in self.stages:
            values = F.max_pool2d(stage(values), 2, ceil_mode=True)
        found: Tensor = (values + self.last(values)).flatten(1)
        return found
