"""A small anchor-free detector with a feature pyramid, after FCOS (Tian et al. 2019, arXiv 1904.01355)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.engine.trainer import evaluation_mode
from dlkit.errors import UsageError
from dlkit.nn.layers import convolution, in_float32
from dlkit_detection.info import DetectionInfo
from dlkit_detection.models import backbone
from dlkit_detection.options import PyramidConfig
from dlkit_detection.places import grid_places

_PRIOR = 0.01
"""Share of places with an object that an untrained network presumes (Lin et al. 2017): the first steps stay calm."""
_STEEPEST = 5.0
"""A box reaches at most e⁵ = 148 strides from its point."""


class Pyramid(nn.Module):
    """image [N,C,H,W] → what the points of all levels say (``dlkit_detection.places``), from the finest on.

    A backbone's maps are joined from the coarsest down (Lin et al. 2017, arXiv 1612.03144). At each point, a head that
    all levels share says whether there is an object and of which class, how far its box's four sides are, and how well
    that box fits. A score is the geometric mean of presence and fit, times the class's probability.
    """

    def __init__(self, config: PyramidConfig, info: DetectionInfo) -> None:
        super().__init__()
        self.backbone = backbone.build(config, info)
        missing = [stride for stride in config.strides if stride not in self.backbone.strides]
        if missing:
            raise UsageError(f"model.strides = {config.strides}: the backbone's maps have {self.backbone.strides}")
        self._from = self.backbone.strides.index(config.strides[0])
        levels = [self.backbone.strides[self._from :].index(stride) for stride in config.strides]
        self.neck = Neck(self.backbone.channels[self._from :], config.neck, levels)
        self.head = Head(config, len(info.classes))
        self.strides = list(config.strides)
        limits = [0.0, *(config.reach * stride for stride in config.strides[:-1]), math.inf]
        self._limits = list(pairwise(limits))
        self._known: dict[tuple[object, ...], Tensor] = {}

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        maps = self.neck(self.backbone(image)[self._from :])
        answers = [self.head(features, level) for level, features in enumerate(maps)]
        raw = torch.cat(answers, 1)  # [N,A,5 or 6, then the classes]
        place = self._places(image, [tuple(features.shape[2:]) for features in maps])
        centre, stride = place[:, :2], place[:, 2:3]
        sides = raw[..., 1:5].clamp(max=_STEEPEST).exp() * stride
        presence, fixed = raw[..., 0], 5 + self.head.quality
        certain = presence.sigmoid()
        outputs = {
            "boxes": torch.cat([centre - sides[..., :2], centre + sides[..., 2:]], 2),
            "presence": presence,
            "classes": raw[..., fixed:],
            "places": place,
        }
        if self.head.quality:
            outputs["quality"] = raw[..., 5]
            certain = (certain * raw[..., 5].sigmoid()).sqrt()
        return {**outputs, "scores": certain[..., None] * raw[..., fixed:].softmax(2)}

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Those that Muon is for: not those of the head that make its answers."""
        answers = {id(self.head.objects.weight), id(self.head.boxes.weight)}
        return [p for p in self.parameters() if p.dim() > 1 and id(p) not in answers]

    @torch.no_grad()
    def places_of(self, image: Tensor) -> Tensor:
        """Where it looks in images of this size; the backbone is asked, if it has not seen such ones."""
        if _kind(image) not in self._known:
            with evaluation_mode(self):
                self(image[:1])
        return self._known[_kind(image)]

    def _places(self, image: Tensor, sizes: list[tuple[int, int]]) -> Tensor:
        """Points of all levels, a level's true stride apart: its map may have a row too many or too few at its end.

        Made once for images of one size: a copy to the device would wait for it.
        """
        key = _kind(image)
        if key not in self._known:
            levels = zip(sizes, self.strides, self._limits, strict=True)
            made = [grid_places(*size, (stride, stride), *limits) for size, stride, limits in levels]
            self._known[key] = torch.cat(made).to(image.device)
        return self._known[key]


def _kind(image: Tensor) -> tuple[object, ...]:
    """What the sizes of all maps follow from."""
    return (*image.shape[2:], image.device)


class Neck(nn.Module):
    """Maps of several sizes → those of ``levels``, each joined with what all coarser ones know: [N,width,…] each."""

    def __init__(self, channels: Sequence[int], width: int, levels: Sequence[int]) -> None:
        super().__init__()
        self.levels = list(levels)
        self.lateral = nn.ModuleList(nn.Conv2d(count, width, 1) for count in channels)
        self.smooth = nn.ModuleList(convolution(width, width) for _ in levels)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        joined = [lateral(features) for lateral, features in zip(self.lateral, maps, strict=True)]
        for fine in range(len(joined) - 2, -1, -1):
            coarse = F.interpolate(joined[fine + 1], size=joined[fine].shape[2:], mode="nearest")
            joined[fine] = joined[fine] + coarse
        return [smooth(joined[level]) for smooth, level in zip(self.smooth, self.levels, strict=True)]


class Head(nn.Module):
    """What the points of a level say, [N,points,1 + 4 (+ 1) + classes]: presence, sides, quality, classes.

    Filters are the same at all levels; batch norms are each level's own (as in Tan et al. 2020, arXiv 1911.09070): the
    levels' statistics differ.
    """

    def __init__(self, config: PyramidConfig, classes: int) -> None:
        super().__init__()
        self.quality = config.quality
        self.what = Tower(config.neck, config.head, len(config.strides))
        self.where = Tower(config.neck, config.head, len(config.strides))
        self.objects = nn.Conv2d(config.neck, 1 + classes, 3, padding=1)
        self.boxes = nn.Conv2d(config.neck, 4 + config.quality, 3, padding=1)
        self.scales = nn.Parameter(torch.ones(len(config.strides)))
        for layer in (self.objects, self.boxes):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.constant_(self.objects.bias[:1], -math.log((1 - _PRIOR) / _PRIOR))  # type: ignore[index]

    def forward(self, features: Tensor, level: int) -> Tensor:
        what, where = self.what(features, level), self.where(features, level)
        objects = in_float32(self.objects, what).flatten(2).transpose(1, 2)
        boxes = in_float32(self.boxes, where).flatten(2).transpose(1, 2)
        sides = boxes[..., :4] * self.scales[level]
        return torch.cat([objects[..., :1], sides, boxes[..., 4:], objects[..., 1:]], 2)


class Tower(nn.Module):
    """3×3 convolutions that all levels share, each followed by a level's own batch norm and ReLU."""

    def __init__(self, width: int, depth: int, levels: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(depth))
        self.norms = nn.ModuleList(nn.ModuleList(nn.BatchNorm2d(width) for _ in range(levels)) for _ in range(depth))

    def forward(self, features: Tensor, level: int) -> Tensor:
        for shared, norms in zip(self.convolutions, self.norms, strict=True):
            features = torch.relu(norms[level](shared(features)))  # type: ignore[index]
        return features


def build(config: PyramidConfig, info: DetectionInfo) -> nn.Module:
    return Pyramid(config, info)
