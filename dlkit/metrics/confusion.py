"""The confusion matrix, counted on the device, and metrics that are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from dlkit.task import SumOverRanks


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

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        self.counts = over_ranks(self.counts)

    def matrix(self) -> Tensor:
        """int64 [classes, classes] on the CPU: rows true, columns predicted."""
        if self.counts is None:
            return torch.zeros(self.classes, self.classes, dtype=torch.int64)
        return self.counts.cpu().view(self.classes, self.classes)


class ConfusionMetrics:
    """Counts what a classifier says of a split; subclasses ``compute`` figures from it. Outputs: logits [N,K], the
    greatest of which is the answer; batches have a ``label``."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = classes
        self.confusion = Confusion(len(classes))

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        self.confusion.update(outputs.argmax(1), batch["label"])

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        self.confusion.reduce(over_ranks)
