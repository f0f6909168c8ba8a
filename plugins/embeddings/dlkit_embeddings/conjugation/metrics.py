"""Accuracy, macro F1 and each form's recall, from a confusion matrix that is counted on the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor


class ConjugationMetrics:
    """``accuracy``; ``macro_f1``: the mean F1 of the forms that are there or were predicted; ``recall/FORM`` of each
    form that is there."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = classes
        self.counts: Tensor | None = None
        """int64 [classes²]: [true, predicted]."""

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        label, size = batch["label"], len(self._classes)
        if self.counts is None:
            self.counts = torch.zeros(size**2, dtype=torch.int64, device=label.device)
        # torch.bincount sizes its result by the largest value it meets, which on CUDA is a synchronisation.
        self.counts.scatter_add_(0, label * size + outputs.argmax(1), torch.ones_like(label))

    def reduce(self, over_ranks: Callable[[Tensor | None], Tensor | None]) -> None:
        """Add up what several processes have seen."""
        self.counts = over_ranks(self.counts)

    def matrix(self) -> Tensor:
        """int64 [classes, classes] on the CPU: rows true, columns predicted."""
        size = len(self._classes)
        return torch.zeros(size, size, dtype=torch.int64) if self.counts is None else self.counts.cpu().view(size, size)

    def compute(self) -> dict[str, float]:
        matrix = self.matrix()
        total, right, there = int(matrix.sum()), matrix.diagonal().tolist(), matrix.sum(1).tolist()
        if not total:
            return {}
        named = zip(self._classes, right, there, strict=True)
        recalls = {f"recall/{name}": hits / count for name, hits, count in named if count}
        return {"accuracy": sum(right) / total, "macro_f1": macro_f1(matrix), **recalls}


def macro_f1(matrix: Tensor) -> float:
    """Mean over the classes that occur, truly or as predictions, of 2·TP / (true + predicted); rows are true."""
    occurring = matrix.sum(1) + matrix.sum(0)
    scores = 2 * matrix.diagonal().double() / occurring.clamp(min=1)
    return float(scores[occurring > 0].mean())
