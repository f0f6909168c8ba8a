"""A model's outputs [N, 5 + classes] taken apart, and boxes between the two forms that this task has.

*Relative*: centre x, y, width, height as shares of the image's (batches and outputs). *Corners*: x1, y1, x2, y2 in
pixels (samples and answers).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import box_convert, box_iou  # type: ignore[import-untyped]

from dlkit.data.constant import log_shares, same_for_all, some_rows
from dlkit.data.splits import Batch, Split

FIXED = 5
"""Outputs besides the classes: presence and box."""


class Parts(NamedTuple):
    """``present`` logit [N], ``box`` [N,4] relative, ``classes`` logits [N,C]."""

    present: Tensor
    box: Tensor
    classes: Tensor


def parts(outputs: Tensor) -> Parts:
    """Views of a model's outputs."""
    return Parts(outputs[:, 0], outputs[:, 1:FIXED], outputs[:, FIXED:])


def overlap(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union [N] of relative boxes [N,4], pair by pair; a side below zero counts as none."""
    pairs = (torch.cat([box[:, :2], box[:, 2:].clamp(min=0)], 1)[:, None].float() for box in (one, other))
    # Two boxes of no area have no overlap: 0 / 0.
    shared: Tensor = box_iou(*pairs, fmt="cxcywh").flatten().nan_to_num(0.0)
    return shared


def corners(box: Tensor, height: int, width: int) -> Tensor:
    """Relative boxes [N,4] → corners in pixels of an image of that size, cut off at its edges."""
    scale = torch.tensor([width, height, width, height], dtype=box.dtype, device=box.device)
    inside: Tensor = box_convert(torch.cat([box[:, :2], box[:, 2:].clamp(min=0)], 1), "cxcywh", "xyxy").clamp(0, 1)
    return inside * scale


def relative(box: Tensor, height: int, width: int) -> Tensor:
    """Corners in pixels [N,4] → relative boxes."""
    scale = torch.tensor([width, height, width, height], dtype=box.dtype, device=box.device)
    converted: Tensor = box_convert(box, "xyxy", "cxcywh")
    return converted / scale


def constant(train: Split, classes: int) -> Callable[[Batch], Tensor]:
    """Outputs [N, 5 + classes] that are the same for every image: how often there is an object, where it is in the
    mean, and how common each class is."""
    present, box, label = some_rows(train, "present", "box", "label")
    there = present > 0.5
    odds = torch.logit(present.mean().clamp(1e-3, 1 - 1e-3))
    middle = box[there].mean(0) if there.any() else box.new_zeros(4)
    return same_for_all(torch.cat([odds[None], middle, log_shares(label[there], classes)]), "present")
