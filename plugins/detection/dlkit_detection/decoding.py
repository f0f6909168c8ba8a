"""From what a model says of all places to the objects of an image; and which of them are right.

The same for every model and every grid: boxes and scores are all it looks at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import batched_nms, box_iou, clip_boxes_to_image  # type: ignore[import-untyped]

CANDIDATES = 200
"""Boxes of an image that are considered, the surest; of these, overlapping ones of a class are dropped."""
OBJECTS = 100
"""Objects of an image at most, as COCO's metric takes them."""
LEAST = 0.01
"""Score below which boxes are ignored: they add work to a precision, and nothing else."""
OVERLAP = 0.5
"""Intersection over union from which on the weaker of two boxes of a class is dropped."""
CONFIDENT = 0.5
"""Score from which on an object counts as one, where no other threshold is asked for."""
HIT = 0.5
"""Intersection over union from which on an object is found."""


@dataclass(frozen=True)
class Objects:
    """The objects of one image, the surest first: ``boxes`` float32 [K,4], ``scores`` [K], ``labels`` int64 [K]."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.scores)

    def above(self, threshold: float) -> Objects:
        sure = self.scores >= threshold
        return Objects(self.boxes[sure], self.scores[sure], self.labels[sure])


def candidates(outputs: Mapping[str, Tensor], size: tuple[int, int]) -> Tensor:
    """The surest boxes of each image, float32 [N,K,6]: corners cut off at the image's ``size`` (height, width), score,
    label. K depends on shapes alone, so nothing waits for the device.
    """
    scores = outputs["scores"].flatten(1)  # [N,A·classes]
    classes = outputs["scores"].shape[2]
    # On the device and of a fixed number: suppressing overlaps needs numbers that depend on values, and waits for them.
    best, index = scores.topk(min(CANDIDATES, scores.shape[1]), 1)
    boxes = outputs["boxes"].gather(1, (index // classes)[..., None].expand(-1, -1, 4))
    inside = clip_boxes_to_image(boxes, size)
    return torch.cat([inside, best[..., None], (index % classes)[..., None].float()], 2)


def select_objects(
    found: Tensor, *, threshold: float = LEAST, overlap: float = OVERLAP, most: int = OBJECTS
) -> Objects:
    """One image's candidates [K,6] without those that score less than ``threshold``, and after non-maximum suppression
    within each class.
    """
    found = found[found[:, 4] >= threshold]
    boxes, scores, labels = found[:, :4], found[:, 4], found[:, 5].long()
    kept = batched_nms(boxes, scores, labels, overlap)[:most]
    return Objects(boxes[kept], scores[kept], labels[kept])


@dataclass(frozen=True)
class Verdict:
    """Found objects against true ones. ``hits`` [K] is the true one that each found one is, −1 for a false one;
    ``overlaps`` [K] its IoU with it; ``missed`` are the true ones that nobody found.
    """

    hits: list[int]
    overlaps: list[float]
    missed: list[int]


def judge(found: Objects, boxes: Tensor, labels: Tensor) -> Verdict:
    """Each found object, the surest first, takes the true one of its class that it overlaps most, if that is free and
    the IoU is at least HIT. True ones are ``boxes`` [M,4] and ``labels`` [M], without padding.
    """
    same = found.labels[:, None] == labels
    overlaps = torch.where(same, box_iou(found.boxes, boxes), 0.0).tolist() if len(boxes) else [[]] * len(found)
    free = set(range(len(boxes)))
    hits, best = [], []
    for row in overlaps:
        taken = max(free, key=row.__getitem__, default=-1)
        hit = taken if taken >= 0 and row[taken] >= HIT else -1
        hits.append(hit)
        best.append(row[hit] if hit >= 0 else 0.0)
        free.discard(hit)
    return Verdict(hits, best, sorted(free))
