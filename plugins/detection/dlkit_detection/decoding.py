"""From what a model says of all places to the objects of an image; and which of them are right.

The same for every model and every grid: boxes and scores are all it looks at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import batched_nms, box_area, box_iou, clip_boxes_to_image  # type: ignore[import-untyped]

from dlkit_detection.ignored import ignored

CANDIDATES = 1000
"""Boxes of an image that are considered, the surest; of these, overlapping ones of a class are dropped. Nine places
answer for an object at a radius of 1.5: fewer than 900 would not leave OBJECTS of them."""
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
FALSE, IGNORED = -1, -2
"""In place of a true object's number: what was found is none, or one that does not count."""


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
    """Found objects against true ones. ``hits`` [K] is the true one that each found one is, or FALSE or IGNORED;
    ``overlaps`` [K] its IoU with it; ``missed`` are the true ones that nobody found.
    """

    hits: list[int]
    overlaps: list[float]
    missed: list[int]

    @property
    def right(self) -> list[int]:
        return [number for number, hit in enumerate(self.hits) if hit >= 0]

    @property
    def false(self) -> list[int]:
        return [number for number, hit in enumerate(self.hits) if hit == FALSE]


def judge(found: Objects, boxes: Tensor, labels: Tensor) -> Verdict:
    """Each found object, the surest first, takes the true one of its class that it overlaps most, if that is free and
    the IoU is at least HIT. True ones are ``boxes`` [M,4] and ``labels`` [M], without padding. What lies on an ignored
    one and is no other is neither right nor false (Lin et al. 2014: its area in the group's box counts, not the IoU).
    """
    same = found.labels[:, None] == labels
    overlaps = torch.where(same, box_iou(found.boxes, boxes), 0.0).tolist() if len(boxes) else [[]] * len(found)
    spared = _on_ignored(found, boxes, labels)
    free = {number for number, label in enumerate(labels.tolist()) if label >= 0}
    hits, best = [], []
    for row, spare in zip(overlaps, spared, strict=True):
        taken = max(free, key=row.__getitem__, default=-1)
        hit = taken if taken >= 0 and row[taken] >= HIT else IGNORED if spare else FALSE
        hits.append(hit)
        best.append(row[hit] if hit >= 0 else 0.0)
        free.discard(hit)
    return Verdict(hits, best, sorted(free))


def _on_ignored(found: Objects, boxes: Tensor, labels: Tensor) -> list[bool]:
    """Whether HIT of a found object's area lies in the box of an ignored one of its class."""
    overlap, area = box_iou(found.boxes, boxes), box_area(found.boxes)[:, None]
    # Of the intersection over the union, the intersection: I = IoU (A + B) / (1 + IoU).
    within = overlap * (area + box_area(boxes)) / (1 + overlap) / area
    same = found.labels[:, None] == ignored(labels)
    flags: list[bool] = (same & (within >= HIT)).any(1).tolist()
    return flags
