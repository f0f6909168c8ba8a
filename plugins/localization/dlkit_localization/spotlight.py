"""``spotlight``: a small residual network that looks all over the image and answers from where the object is.

Every place of a coarse grid says how likely the object's middle is there, and how likely each of its four sides ends
there, and if so, how far from the place's own middle. A softmax over the grid makes weights of the first five (as
Luvizon et al. 2017, arXiv 1710.02322, read coordinates off maps); a side is the weighted mean of what places say of it,
the class is told from what is seen at the middle. A side is thus found where it can be seen, not from afar, and the
network is the same all over the image: it need not learn each place by itself, as dense layers do. Then it looks again:
the square around the box, brought to one size, tells the class too (``glimpse.py``).
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.nn.layers import convolution
from dlkit.nn.residual import Residual
from dlkit_localization.glimpse import Glimpse, cut_out
from dlkit_localization.info import LocalizationInfo
from dlkit_localization.options import SpotlightConfig

_SIDES = 4
"""Left, top, right, bottom."""


class Spotlight(nn.Module):
    """image [N,C,H,W] → outputs [N, 5 + classes].

    The stem and every stage halve the image; the last two stages' features, the coarser ones doubled,
    are joined in the neck, whose grid is the map's.
    """

    def __init__(self, config: SpotlightConfig, info: LocalizationInfo) -> None:
        super().__init__()
        channels, height, width = info.shape
        self.stem = convolution(channels, config.stem_width, 5, stride=2)
        pairs = zip(pairwise([config.stem_width, *config.widths]), config.blocks, strict=True)
        self.stages = nn.ModuleList(_stage(before, after, blocks) for (before, after), blocks in pairs)
        self.fine = nn.Conv2d(config.widths[-2], config.neck, 1, bias=False)
        self.coarse = nn.Conv2d(config.widths[-1], config.neck, 1, bias=False)
        self.neck = nn.Sequential(
            nn.BatchNorm2d(config.neck), nn.ReLU(inplace=True), convolution(config.neck, config.neck, 3)
        )
        self.grid = nn.Conv2d(config.neck, 1 + 2 * _SIDES, 1)
        self.present = nn.Linear(config.neck + 1, 1)
        self.side, self.jitter = config.glimpse, config.jitter
        self.glimpse = Glimpse(channels, config.glimpse_widths, self.side) if self.side else None
        seen = config.neck + config.widths[-1] + (self.glimpse.features if self.glimpse else 0)
        self.classes = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(seen, len(info.classes)))
        stride = 2 ** len(config.widths)  # of the grid, in pixels
        self.step = stride / width, stride / height
        self._muon_answers = config.muon_answers
        self.map_layer = "stem"
        """Where the places are that an answer comes from, finer than a digit is wide."""

    def forward(self, image: Tensor) -> Tensor:
        fine, coarse = self._features(image)
        doubled = F.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest")
        features = self.neck(self.fine(fine) + doubled[:, :, : fine.shape[2], : fine.shape[3]])
        grid = self.grid(features)
        with torch.autocast(image.device.type, enabled=False):  # boxes to fractions of a pixel
            present, box, seen = self._answer(grid.float(), features.float(), coarse.float())
        if self.glimpse is not None:
            # Where to look is learnt from the box's loss alone.
            jitter = self.jitter if self.training else 0.0
            closer = self.glimpse(cut_out(image, box.detach(), self.side, jitter))
            seen = torch.cat([seen, closer.float()], 1)
        with torch.autocast(image.device.type, enabled=False):
            return torch.cat([present, box, self.classes(seen)], 1)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Those that Muon is for: not those that make the answers."""
        answers: list[Tensor] = [*self.classes.parameters()]
        if not self._muon_answers:
            answers += [self.grid.weight, self.present.weight]
        spared = {id(parameter) for parameter in answers}
        return [p for p in self.parameters() if p.dim() > 1 and id(p) not in spared]

    def _features(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The last two stages' outputs."""
        values = self.stem(image)
        found = [values := stage(values) for stage in self.stages]
        return found[-2], found[-1]

    def _answer(self, grid: Tensor, features: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The logit of presence [N,1], the box [N,4], and what is seen at the object's middle [N, …]."""
        height, width = grid.shape[2:]
        grid = grid.flatten(2)  # [N, 9, places]
        weights = grid[:, : 1 + _SIDES].softmax(2)
        middle = weights[:, 0]
        seen = torch.einsum("np,nkp->nk", middle, features.flatten(2))
        blurred = F.avg_pool2d(middle.view(-1, 1, height, width), 2, ceil_mode=True, count_include_pad=False)
        blurred = blurred.flatten(1) / blurred.flatten(1).sum(1, keepdim=True)
        around = torch.einsum("np,nkp->nk", blurred, coarse.flatten(2))
        present = self.present(torch.cat([seen, grid[:, :1].amax(2)], 1))
        box = self._box(weights[:, 1:], grid[:, 1 + _SIDES :], (height, width))
        return present, box, torch.cat([seen, around], 1)

    def _box(self, weights: Tensor, offsets: Tensor, size: tuple[int, int]) -> Tensor:
        """The box [N,4], relative: centre x, y, width, height.

        ``weights`` and ``offsets`` [N, 4, places] say where a side is and how far from the place's middle, in places.
        """
        height, width = size
        columns = (torch.arange(width, device=weights.device) + 0.5).repeat(height)
        rows = (torch.arange(height, device=weights.device) + 0.5).repeat_interleave(width)
        places = torch.stack([columns, rows, columns, rows])
        left, top, right, bottom = (weights * (places + offsets)).sum(2).unbind(1)
        across, down = self.step
        box = ((left + right) / 2 * across, (top + bottom) / 2 * down, (right - left) * across, (bottom - top) * down)
        return torch.stack(box, 1)


def build(config: SpotlightConfig, info: LocalizationInfo) -> nn.Module:
    return Spotlight(config, info)


def _stage(before: int, after: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(
        convolution(before, after, 3, stride=2), *(Residual({"body": convolution(after, after)}) for _ in range(blocks))
    )
