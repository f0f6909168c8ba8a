"""Accuracy, overall and per class, and macro-F1, from a confusion matrix that is counted on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from dlkit.metrics.confusion import ConfusionMetrics
from dlkit.metrics.total import Total
from dlkit.task import SumOverRanks

TOP = 5
PER_CLASS = 100
"""Data sets of more classes than this record no accuracy per class; the confusion matrix still has them."""


class ClassificationMetrics(ConfusionMetrics):
    """``accuracy``; ``macro_precision``, ``macro_recall`` and ``macro_f1``, in which rare classes count as much as
    common ones; for each class seen ``accuracy/NAME``, which is its recall, and for each that was predicted
    ``precision/NAME``; ``top5`` where there are more than ten classes."""

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__(classes)
        self._hits = Total()

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        super().update(outputs, batch)
        if len(self._classes) > 2 * TOP:
            self._hits.add((outputs.topk(TOP, 1).indices == batch["label"][:, None]).sum())

    def reduce(self, over_ranks: SumOverRanks) -> None:
        super().reduce(over_ranks)
        self._hits.reduce(over_ranks)

    def compute(self) -> dict[str, float]:
        matrix = self.confusion.matrix()
        seen, right = matrix.sum(1), matrix.diagonal()
        total = int(seen.sum())
        if total == 0:
            return {}
        predicted = matrix.sum(0)
        values = {"accuracy": int(right.sum()) / total, "macro_f1": _macro_f1(matrix), **_macro(matrix)}
        if self._hits.value is not None:
            values[f"top{TOP}"] = int(self._hits.value) / total
        if len(self._classes) <= PER_CLASS:
            counts = zip(self._classes, right.tolist(), seen.tolist(), strict=True)
            values |= {f"accuracy/{name}": hit / count for name, hit, count in counts if count}
            counts = zip(self._classes, right.tolist(), predicted.tolist(), strict=True)
            values |= {f"precision/{name}": hit / count for name, hit, count in counts if count}
        return values


def _macro(matrix: Tensor) -> dict[str, float]:
    """Means over the classes that occur, as true or as predicted: of the share of a class's predictions that are right,
    and of its samples that are found; 0 where there are none."""
    right, seen, predicted = matrix.diagonal(), matrix.sum(1), matrix.sum(0)
    occurs = seen + predicted > 0
    found = {"macro_precision": right / predicted.clamp(min=1), "macro_recall": right / seen.clamp(min=1)}
    return {name: float(each[occurs].double().mean()) for name, each in found.items()}


def _macro_f1(matrix: Tensor) -> float:
    """The mean of the classes' F1 scores, 2·TP / (2·TP + FP + FN); of classes that occur, as true or as predicted."""
    right, either = matrix.diagonal(), matrix.sum(0) + matrix.sum(1)
    scores = [2 * hit / count for hit, count in zip(right.tolist(), either.tolist(), strict=True) if count]
    return float(sum(scores) / len(scores))
