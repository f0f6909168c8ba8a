"""Accuracy, overall and by class, from a confusion matrix that is counted on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from dlkit.metrics.confusion import Confusion
from dlkit.task import SumOverRanks


class PointsMetrics:
    """``accuracy``, and ``accuracy/NAME`` for each class seen."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = classes
        self.confusion = Confusion(len(classes))

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        self.confusion.update(outputs.argmax(1), batch["label"])

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        self.confusion.reduce(over_ranks)

    def compute(self) -> Mapping[str, float]:
        matrix = self.confusion.matrix()
        seen, right = matrix.sum(1).tolist(), matrix.diagonal().tolist()
        if not sum(seen):
            return {}
        each = {f"accuracy/{n}": r / s for n, r, s in zip(self._classes, right, seen, strict=True) if s}
        return {"accuracy": sum(right) / sum(seen), **each}
