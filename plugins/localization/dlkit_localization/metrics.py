"""How well objects are noticed, placed and named; counted on the device."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from dlkit.metrics.total import Total, exact
from dlkit.task import SumOverRanks
from dlkit_localization.outputs import overlap, parts

GOOD = 0.5
"""IoU that a box must exceed to be right."""


def judge(outputs: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is right, image by image [N]: ``seen``, ``named``, ``strict`` bool and ``iou`` float32.

    ``seen``: object or none is right; ``named``: the class; ``strict``: seen, and for an object, class and box too.
    ``named`` and ``iou`` mean nothing where there is no object.
    """
    found, there = parts(outputs), batch["present"] > 0.5
    seen = (found.present > 0) == there
    named = found.classes.argmax(1) == batch["label"]
    iou = overlap(found.box, batch["box"])
    return {"seen": seen, "named": named, "iou": iou, "strict": seen & (~there | (named & (iou > GOOD)))}


class LocalizationMetrics:
    """Over all images ``detection_accuracy`` and ``strict_accuracy``; over those with an object ``class_accuracy``,
    ``mean_iou`` and ``box_accuracy`` (IoU > 0.5). ``performance`` is the mean of the four others than strict.
    """

    def __init__(self) -> None:
        self._sums = Total()

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        judged, there = judge(outputs, batch), batch["present"]
        good = judged["iou"] > GOOD
        columns = (
            torch.ones_like(there), there, judged["seen"], judged["strict"],
            judged["named"] * there, judged["iou"] * there, good * there,
        )  # fmt: skip
        self._sums.add(exact(torch.stack([column.sum(dtype=torch.float32) for column in columns])))

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        self._sums.reduce(over_ranks)

    def compute(self) -> dict[str, float]:
        if self._sums.value is None:
            return {}
        images, objects, seen, strict, named, iou, good = self._sums.numbers()
        values = {"detection_accuracy": seen / images, "strict_accuracy": strict / images}
        if objects:
            values |= {"class_accuracy": named / objects, "mean_iou": iou / objects, "box_accuracy": good / objects}
            four = ("detection_accuracy", "class_accuracy", "mean_iou", "box_accuracy")
            values["performance"] = sum(values[name] for name in four) / len(four)
        return values
