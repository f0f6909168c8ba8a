"""Accuracy, macro F1 and each form's recall, from a confusion matrix that is counted on the device."""

from __future__ import annotations

from torch import Tensor

from dlkit.metrics.confusion import ConfusionMetrics


class ConjugationMetrics(ConfusionMetrics):
    """``accuracy``; ``macro_f1``: the mean F1 of the forms that are there or were predicted; ``recall/FORM`` of each
    form that is there."""

    def compute(self) -> dict[str, float]:
        matrix = self.confusion.matrix()
        total, right, there = int(matrix.sum()), matrix.diagonal().tolist(), matrix.sum(1).tolist()
        if not total:
            return {}
        named = zip(self._classes, right, there, strict=True)
        recalls = {f"recall/{name}": hits / count for name, hits, count in named if count}
        return {"accuracy": sum(right) / total, "macro_f1": macro_f1(matrix), **recalls}


def macro_f1(matrix: Tensor) -> float:
    """Formula (C3): the mean of 2·TP / (true + predicted) over the classes that occur, truly or as predictions.

    ``matrix`` has a row a true class. A class that never occurs has no F1; to count it as 0 would punish a small split.
    """
    occurring = matrix.sum(1) + matrix.sum(0)
    scores = 2 * matrix.diagonal().double() / occurring.clamp(min=1)
    return float(scores[occurring > 0].mean())
