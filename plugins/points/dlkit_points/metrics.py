"""Accuracy, overall and by class, from a confusion matrix that is counted on the device."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit.metrics.confusion import ConfusionMetrics


class PointsMetrics(ConfusionMetrics):
    """``accuracy``, and ``accuracy/NAME`` for each class seen."""

    def compute(self) -> Mapping[str, float]:
        matrix = self.confusion.matrix()
        seen, right = matrix.sum(1).tolist(), matrix.diagonal().tolist()
        if not sum(seen):
            return {}
        each = {f"accuracy/{n}": r / s for n, r, s in zip(self._classes, right, seen, strict=True) if s}
        return {"accuracy": sum(right) / sum(seen), **each}
