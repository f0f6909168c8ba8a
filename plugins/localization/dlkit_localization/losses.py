"""What localization minimises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import box_convert  # type: ignore[import-untyped]

from dlkit.nn.overlap import ciou_loss, giou_loss
from dlkit_localization.info import LocalizationInfo
from dlkit_localization.options import IouConfig, ThreePartConfig
from dlkit_localization.outputs import parts

OVERLAPS = {"giou": giou_loss, "ciou": ciou_loss}

_SMALLEST = 1e-3
"""Side, as a share of the image's, below which a predicted box counts as this wide: overlap needs an area."""
_ANY = 0.5
"""Stands for each number of the box where there is none: a loss that does not count must be finite, and its slope."""


class ThreePart:
    """Weighted sum of ``present`` (binary cross-entropy, over all images), ``box`` (mean squared error of the four
    relative numbers) and ``class`` (cross-entropy in nats), both over the images with an object.
    """

    names: ClassVar[tuple[str, ...]] = ("present", "box", "class")

    def __init__(self, config: ThreePartConfig) -> None:
        self._weights = {name: getattr(config, f"{name}_weight") for name in self.names}
        self._smoothing = config.label_smoothing

    def __call__(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        terms = self.terms(outputs, batch)
        return {"loss": self.total(terms), **terms}

    def terms(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The parts, unweighted."""
        found, there = parts(outputs), batch["present"]
        named = F.cross_entropy(
            found.classes, batch["label"], ignore_index=-1, reduction="sum", label_smoothing=self._smoothing
        )
        return {
            "present": F.binary_cross_entropy_with_logits(found.present, there),
            "box": _mean(F.mse_loss(found.box, batch["box"], reduction="none").mean(1), there),
            "class": named / there.sum().clamp(min=1),
        }

    def counts(self, batch: Mapping[str, Tensor], model: nn.Module) -> Mapping[str, Tensor]:
        """Images with an object; of ``present``, all images."""
        objects = batch["present"].sum()
        return {name: objects for name in self.names if name != "present"}

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum."""
        total = sum(self._weights[name] * terms[name] for name in self.names)
        assert isinstance(total, Tensor)
        return total


class WithOverlap(ThreePart):
    """The three parts and ``overlap``, over the images with an object: 1 − GIoU (Rezatofighi et al. 2019, arXiv
    1902.09630) or the CIoU loss (Zheng et al. 2020, arXiv 1911.08287).
    """

    names = (*ThreePart.names, "overlap")

    def __init__(self, config: IouConfig) -> None:
        super().__init__(config)
        self._measure = OVERLAPS[config.overlap]

    def terms(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        there = batch["present"]
        found = parts(outputs).box
        found = torch.cat([found[:, :2], found[:, 2:].clamp(min=_SMALLEST)], 1)
        true = torch.where(there[:, None] > 0, batch["box"], _ANY)
        missed = self._measure(*(box_convert(box, "cxcywh", "xyxy") for box in (found, true)))
        return {**super().terms(outputs, batch), "overlap": _mean(missed, there)}


def three_part(config: ThreePartConfig, info: LocalizationInfo) -> ThreePart:
    return ThreePart(config)


def with_overlap(config: IouConfig, info: LocalizationInfo) -> WithOverlap:
    return WithOverlap(config)


def _mean(values: Tensor, there: Tensor) -> Tensor:
    """The mean [] of values [N] over images with an object; 0 where there is none."""
    return (values * there).sum() / there.sum().clamp(min=1)
