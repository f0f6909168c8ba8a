"""Mean average precision, and the course's accuracy and IoU, of boxes in pixels of the image."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from dlkit.task import OverRanks, together
from dlkit_detection.decoding import CONFIDENT, OBJECTS, Objects, candidates, judge, select_objects
from dlkit_detection.ignored import ignored
from dlkit_detection.info import DetectionInfo

PER_CLASS = 100
"""Data sets of more classes than this record no precision per class."""

_AT_HALF = 0
"""Index of IoU 0.5 among COCO's ten thresholds."""


class DetectionMetrics:
    """Names and what they mean:

    map       mean over classes and IoU thresholds 0.5, 0.55 … 0.95 of the average precision (COCO's, by torchmetrics)
    map50     the same at IoU 0.5 alone;  ``map/NAME``, ``map50/NAME``: of one class
    accuracy  of objects that score CONFIDENT or more and of those missed, the share of right ones: right class and IoU
              of 0.5 at least: right / (right + false + missed)
    iou       mean over true objects of the IoU with the object found for it, 0 where it was missed

    During a pass only the surest boxes of each image are kept, on the device; overlapping ones are dropped at the end.
    What is found on an object that is ignored (VOC's difficult, COCO's groups) is neither right nor false: COCO's rule.
    Several processes' shares are put together, not summed: ranking needs them all.
    """

    def __init__(self, info: DetectionInfo) -> None:
        self._classes: list[str] = list(info.classes)
        self._size = info.shape[1], info.shape[2]
        self._found: list[Tensor] = []
        self._true: list[Tensor] = []

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        self._found.append(candidates(outputs, self._size))
        labels = batch["labels"][..., None].to(batch["boxes"].dtype)
        self._true.append(torch.cat([batch["boxes"], labels], 2))

    def reduce(self, over_ranks: OverRanks) -> None:
        """All processes' images, on every process, in the order of their ranks."""
        found, true = (together(_joined(parts), over_ranks, padding=-1) for parts in (self._found, self._true))
        self._found, self._true = ([] if rows is None else [rows] for rows in (found, true))

    def compute(self) -> dict[str, float]:
        found, true = _joined(self._found), _joined(self._true)
        if found is None or true is None:
            return {}
        objects = [select_objects(rows) for rows in found.cpu()]
        truth = [(rows[:, :4], rows[:, 4].long()) for rows in (rows[rows[:, 4] != -1] for rows in true.cpu())]
        return {**self._precision(objects, truth), **_course(objects, truth)}

    def _precision(self, objects: list[Objects], truth: list[tuple[Tensor, Tensor]]) -> dict[str, float]:
        from torchmetrics.detection import MeanAveragePrecision

        metric = MeanAveragePrecision(
            "xyxy", "bbox", max_detection_thresholds=[1, 10, OBJECTS], extended_summary=True, backend="faster_coco_eval"
        )
        metric.warn_on_many_detections = False
        metric.update(
            [{"boxes": found.boxes, "scores": found.scores, "labels": found.labels} for found in objects],
            [
                {"boxes": boxes, "labels": torch.where(labels < 0, ignored(labels), labels), "iscrowd": labels < 0}
                for boxes, labels in truth
            ],
        )
        result = metric.compute()
        # [IoU, recall, class, area, most]: objects of any size, OBJECTS at most; −1 where a class has no true one.
        precision = result["precision"][..., 0, -1].mean(1)
        each = zip(result["classes"].reshape(-1).tolist(), precision.unbind(1), strict=True)
        measured = {int(label): values for label, values in each if values.min() >= 0}
        if not measured:
            return {}
        values = {"map": float(result["map"]), "map50": float(result["map_50"])}
        if 1 < len(self._classes) <= PER_CLASS:
            values |= {f"map/{self._classes[label]}": float(row.mean()) for label, row in measured.items()}
            values |= {f"map50/{self._classes[label]}": float(row[_AT_HALF]) for label, row in measured.items()}
        return values


def _joined(parts: list[Tensor]) -> Tensor | None:
    """Batches [N,K,F] one after the other, each padded with −1 to the largest K."""
    if not parts:
        return None
    wide = max(part.shape[1] for part in parts)
    return torch.cat([torch.nn.functional.pad(p, (0, 0, 0, wide - p.shape[1]), value=-1.0) for p in parts])


def _course(objects: list[Objects], truth: list[tuple[Tensor, Tensor]]) -> dict[str, float]:
    right = wrong = missed = 0
    overlap = 0.0
    for found, (boxes, labels) in zip(objects, truth, strict=True):
        verdict = judge(found.above(CONFIDENT), boxes, labels)
        right, wrong = right + len(verdict.right), wrong + len(verdict.false)
        missed += len(verdict.missed)
        overlap += sum(verdict.overlaps)
    values = {}
    if right + wrong + missed:
        values["accuracy"] = right / (right + wrong + missed)
    if right + missed:
        values["iou"] = overlap / (right + missed)
    return values
