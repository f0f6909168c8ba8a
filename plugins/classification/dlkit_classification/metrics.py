"""Accuracy, overall and per class, from a confusion matrix that is counted on the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

TOP = 5
PER_CLASS = 100
"""Data sets of more classes than this record no accuracy per class; the confusion matrix still has them."""


class Confusion:
    """Counts [true, predicted] over a split; adding never waits for the device, and ranks' counts add up."""

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.counts: Tensor | None = None

    def update(self, predicted: Tensor, true: Tensor) -> None:
        """Add int64 [N] predicted and true labels."""
        if self.counts is None:
            self.counts = torch.zeros(self.classes**2, dtype=torch.int64, device=true.device)
        # torch.bincount sizes its result by the largest value it meets, which on CUDA is a synchronisation.
        self.counts.scatter_add_(0, true * self.classes + predicted, torch.ones_like(true))

    def matrix(self) -> Tensor:
        """int64 [classes, classes] on the CPU: rows true, columns predicted."""
        if self.counts is None:
            return torch.zeros(self.classes, self.classes, dtype=torch.int64)
        return self.counts.cpu().view(self.classes, self.classes)


class ClassificationMetrics:
    """``accuracy``; ``accuracy/NAME`` for each class seen; ``top5`` where there are more than ten classes."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = classes
        self.confusion = Confusion(len(classes))
        self._hits: Tensor | None = None

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        label = batch["label"]
        self.confusion.update(outputs.argmax(1), label)
        if len(self._classes) > 2 * TOP:
            hits = (outputs.topk(TOP, 1).indices == label[:, None]).sum()
            self._hits = hits if self._hits is None else self._hits + hits

    def reduce(self, over_ranks: Callable[[Tensor | None], Tensor | None]) -> None:
        """Add up what several processes have seen."""
        self.confusion.counts = over_ranks(self.confusion.counts)
        self._hits = over_ranks(self._hits)

    def compute(self) -> dict[str, float]:
        matrix = self.confusion.matrix()
        seen, right = matrix.sum(1), matrix.diagonal()
        total = int(seen.sum())
        if total == 0:
            return {}
        values = {"accuracy": int(right.sum()) / total}
        if self._hits is not None:
            values[f"top{TOP}"] = int(self._hits) / total
        if len(self._classes) <= PER_CLASS:
            counts = zip(self._classes, right.tolist(), seen.tolist(), strict=True)
            values |= {f"accuracy/{name}": hit / count for name, hit, count in counts if count}
        return values
