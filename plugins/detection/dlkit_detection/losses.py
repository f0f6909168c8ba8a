"""What detection minimises."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import box_convert, box_iou, sigmoid_focal_loss  # type: ignore[import-untyped]

from dlkit.nn.overlap import ciou_loss, giou_loss
from dlkit.task import Loss
from dlkit_detection.info import DetectionInfo
from dlkit_detection.options import FocalConfig, GridLossConfig
from dlkit_detection.places import Targets, assign, refuse_unfit

Outputs = Mapping[str, Tensor]

OVERLAPS = {"ciou": ciou_loss, "giou": giou_loss}
IN_CELL = 0.5
"""Radius, in cells, at which the cell that has an object's centre answers for it, and no other."""


def grid(config: GridLossConfig, info: DetectionInfo) -> Loss[Outputs]:
    """The course's: the localization loss summed over cells, the mean over images.

    At each cell the binary cross-entropy of the presence; where it answers for an object, too, the squared error of
    centre, width and height in units of the cell (the mean of the four), and the cross-entropy of the class.
    """

    def loss(outputs: Outputs, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        refuse_unfit(outputs, "grid")
        targets = assign(outputs["places"], batch["boxes"], batch["labels"], radius=IN_CELL, inside=False)
        objects = targets.positive.float()
        weight = torch.where(targets.positive, 1.0, config.empty_weight).where(~targets.ignored, 0.0)
        presence = F.binary_cross_entropy_with_logits(outputs["presence"], objects, weight, reduction="sum")
        cell = outputs["places"][:, 2:4].repeat(1, 2)
        error = F.mse_loss(_centred(outputs["boxes"]) / cell, _centred(targets.boxes) / cell, reduction="none").mean(2)
        parts = {
            "presence": presence / len(objects),
            "box": (error * objects).sum() / len(objects),
            "class": (_class_loss(outputs, targets, 0.0) * objects).sum() / len(objects),
        }
        return _total(parts, box=config.box_weight, **{"class": config.class_weight})

    return loss


class Focal:
    """Focal loss of the presence (Lin et al. 2017, arXiv 1708.02002) and, at places that answer for an object, the
    overlap's loss (CIoU: Zheng et al. 2020, arXiv 1911.08287), the class's cross-entropy, and how well a box fits: the
    binary cross-entropy of ``quality`` with its IoU, where the model says it. All are divided by how many such places
    there are.
    """

    def __init__(self, config: FocalConfig) -> None:
        self._config = config

    def __call__(self, outputs: Outputs, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        refuse_unfit(outputs, "focal")
        config, overlap = self._config, OVERLAPS[self._config.overlap]
        targets = self._targets(outputs["places"], batch)
        objects = targets.positive.float()
        count = objects.sum().clamp(min=1)
        presence = sigmoid_focal_loss(outputs["presence"], objects, config.alpha, config.gamma, reduction="none")
        parts = {
            "presence": (presence * ~targets.ignored).sum() / count,
            "box": (overlap(outputs["boxes"], targets.boxes) * objects).sum() / count,
            "class": (_class_loss(outputs, targets, config.label_smoothing) * objects).sum() / count,
        }
        if "quality" in outputs:
            with torch.no_grad():
                fits = box_iou(outputs["boxes"][:, :, None], targets.boxes[:, :, None])[..., 0, 0]
            quality = F.binary_cross_entropy_with_logits(outputs["quality"], fits, reduction="none")
            parts["quality"] = (quality * objects).sum() / count
        return _total(parts, box=config.box_weight, **{"class": config.class_weight})

    def counts(self, batch: Mapping[str, Tensor], model: nn.Module) -> Tensor | Mapping[str, Tensor]:
        """Places that answer for an object; images, of a model that does not say where it looks."""
        places_of = getattr(model, "places_of", None)
        return {} if places_of is None else self._targets(places_of(batch["image"]), batch).positive.sum()

    def _targets(self, places: Tensor, batch: Mapping[str, Tensor]) -> Targets:
        return assign(places, batch["boxes"], batch["labels"], radius=self._config.radius, inside=True)


def focal(config: FocalConfig, info: DetectionInfo) -> Focal:
    return Focal(config)


def _total(parts: Mapping[str, Tensor], **weights: float) -> Mapping[str, Tensor]:
    total = torch.stack([weights.get(name, 1.0) * part for name, part in parts.items()]).sum()
    return {"loss": total, **parts}


def _class_loss(outputs: Outputs, targets: Targets, smoothing: float) -> Tensor:
    """Cross-entropy [N,A]; none of a single class."""
    # Flat: CUDA has no deterministic kernel for targets [N,A].
    logits, labels = outputs["classes"].flatten(0, 1), targets.labels.flatten()
    return F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing).view_as(targets.labels)


def _centred(boxes: Tensor) -> Tensor:
    centred: Tensor = box_convert(boxes, "xyxy", "cxcywh")
    return centred
