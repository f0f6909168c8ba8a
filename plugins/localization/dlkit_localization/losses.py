"""What localization minimises."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import box_convert  # type: ignore[import-untyped]

from dlkit.nn.overlap import ciou_loss, giou_loss
from dlkit_localization.info import LocalizationInfo
from dlkit_localization.options import IouConfig, ThreePartConfig
from dlkit_localization.outputs import parts

Loss = Callable[[Tensor, Mapping[str, Tensor]], Mapping[str, Tensor]]

OVERLAPS = {"giou": giou_loss, "ciou": ciou_loss}

_SMALLEST = 1e-3
"""Side, as a share of the image's, below which a predicted box counts as this wide: overlap needs an area."""
_ANY = 0.5
"""Stands for each number of the box where there is none: a loss that does not count must be finite, and its slope."""


def three_part(config: ThreePartConfig, info: LocalizationInfo) -> Loss:
    """Weighted sum of ``present`` (binary cross-entropy, over all images), ``box`` (mean squared error of the four
    relative numbers) and ``class`` (cross-entropy in nats), both over the images with an object.
    """

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return _total(config, _terms(config, outputs, batch))

    return loss


def with_overlap(config: IouConfig, info: LocalizationInfo) -> Loss:
    """The three parts and ``overlap``, over the images with an object: 1 − GIoU (Rezatofighi et al. 2019, arXiv
    1902.09630) or the CIoU loss (Zheng et al. 2020, arXiv 1911.08287).
    """
    measure = OVERLAPS[config.overlap]

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        terms = _terms(config, outputs, batch)
        there = batch["present"]
        found = parts(outputs).box
        found = torch.cat([found[:, :2], found[:, 2:].clamp(min=_SMALLEST)], 1)
        true = torch.where(there[:, None] > 0, batch["box"], _ANY)
        missed = measure(*(box_convert(box, "cxcywh", "xyxy") for box in (found, true)))
        return _total(config, {**terms, "overlap": _mean(missed, there)})

    return loss


def _terms(config: ThreePartConfig, outputs: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found, there = parts(outputs), batch["present"]
    named = F.cross_entropy(
        found.classes, batch["label"], ignore_index=-1, reduction="sum", label_smoothing=config.label_smoothing
    )
    return {
        "present": F.binary_cross_entropy_with_logits(found.present, there),
        "box": _mean(F.mse_loss(found.box, batch["box"], reduction="none").mean(1), there),
        "class": named / there.sum().clamp(min=1),
    }


def _mean(values: Tensor, there: Tensor) -> Tensor:
    """The mean [] of values [N] over images with an object; 0 where there is none."""
    return (values * there).sum() / there.sum().clamp(min=1)


def _total(config: ThreePartConfig, terms: dict[str, Tensor]) -> dict[str, Tensor]:
    total = sum(getattr(config, f"{name}_weight") * value for name, value in terms.items())
    assert isinstance(total, Tensor)
    return {"loss": total, **terms}
