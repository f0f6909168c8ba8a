"""Losses of how well two boxes overlap, as torchvision.ops has them, to the bit.

torchvision's count by a mask which boxes meet, for which the host waits for an accelerator at every step. Boxes are
[…,4], corners (x1, y1, x2, y2), the second not left of or above the first; the losses are […].
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_TINY = 1e-7
"""Keeps a division by nothing finite."""


def giou_loss(found: Tensor, true: Tensor) -> Tensor:
    """1 − GIoU: Rezatofighi et al. 2019, arXiv 1902.09630."""
    found, true = found.to(torch.float32), true.to(torch.float32)
    shared, union = _shared_and_union(found, true)
    around = _around(found, true)
    return 1 - (shared / (union + _TINY) - (around - union) / (around + _TINY))


def ciou_loss(found: Tensor, true: Tensor) -> Tensor:
    """1 − IoU, and penalties for the distance of the centres and for another aspect: Zheng et al. 2020, 1911.08287."""
    found, true = found.to(torch.float32), true.to(torch.float32)
    shared, union = _shared_and_union(found, true)
    iou = shared / (union + _TINY)
    aspect = (4 / math.pi**2) * (_angle(true) - _angle(found)) ** 2
    with torch.no_grad():
        weight = aspect / (1 - iou + aspect + _TINY)
    return 1 - iou + _distance(found, true) + weight * aspect


def _shared_and_union(found: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Areas: of what both have, and of what either has."""
    (x1, y1, x2, y2), (u1, v1, u2, v2) = found.unbind(-1), true.unbind(-1)
    left, top, right, bottom = torch.max(x1, u1), torch.max(y1, v1), torch.min(x2, u2), torch.min(y2, v2)
    meet = (bottom > top) & (right > left)
    shared = torch.where(meet, (right - left) * (bottom - top), 0.0)
    return shared, (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - shared


def _distance(found: Tensor, true: Tensor) -> Tensor:
    """Of the centres, squared, as a share of the squared diagonal of the smallest box around both."""
    (x1, y1, x2, y2), (u1, v1, u2, v2) = found.unbind(-1), true.unbind(-1)
    width, height = torch.max(x2, u2) - torch.min(x1, u1), torch.max(y2, v2) - torch.min(y1, v1)
    diagonal = width**2 + height**2 + _TINY
    across, down = (x2 + x1) / 2 - (u1 + u2) / 2, (y2 + y1) / 2 - (v1 + v2) / 2
    return (across**2 + down**2) / diagonal


def _around(found: Tensor, true: Tensor) -> Tensor:
    """Area of the smallest box around both."""
    (x1, y1, x2, y2), (u1, v1, u2, v2) = found.unbind(-1), true.unbind(-1)
    return (torch.max(x2, u2) - torch.min(x1, u1)) * (torch.max(y2, v2) - torch.min(y1, v1))


def _angle(boxes: Tensor) -> Tensor:
    """Of the diagonal: arctan of width by height."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.atan((x2 - x1) / (y2 - y1))
