"""What classification minimises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.errors import UsageError
from dlkit.task import Loss
from dlkit_classification.info import ClassificationInfo
from dlkit_classification.options import CrossEntropyConfig


def cross_entropy(config: CrossEntropyConfig, info: ClassificationInfo) -> Loss[Tensor]:
    """Mean over the batch of −log softmax at the label, in nats; with smoothing as in Szegedy et al. 2016.

    With weights it is the weighted mean. UsageError where they are not one for each class.
    """
    smoothing = config.label_smoothing
    weights = config.class_weights or (_balanced(info) if config.balanced else [])
    if weights:
        return Weighted(weights, smoothing, info)

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.cross_entropy(outputs, batch["label"], label_smoothing=smoothing)}

    return loss


class Weighted:
    """Cross-entropy as a mean over images that have the weight of their class."""

    def __init__(self, weights: Sequence[float], smoothing: float, info: ClassificationInfo) -> None:
        if len(weights) != len(info.classes):
            named = ", ".join(info.classes)
            raise UsageError(f"loss.class_weights has {len(weights)} weights for {len(info.classes)} classes: {named}")
        self._weights, self._smoothing = torch.tensor(weights), smoothing

    def __call__(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        weight = self._on(outputs.device).to(outputs.dtype)
        loss = F.cross_entropy(outputs, batch["label"], weight=weight, label_smoothing=self._smoothing)
        return {"loss": loss}

    def counts(self, batch: Mapping[str, Tensor], model: nn.Module) -> Tensor:
        """The sum of the images' weights, which is what the mean is over."""
        label = batch["label"]
        return self._on(label.device).index_select(0, label).sum()

    def _on(self, device: torch.device) -> Tensor:
        # Once: a copy at every step would be waited for.
        self._weights = self._weights.to(device)
        return self._weights


def _balanced(info: ClassificationInfo) -> list[float]:
    """Weights of which each class has the same sum over the training images, and all images have the mean 1."""
    counts = info.counts
    if counts is None:
        raise UsageError("loss.balanced needs the number of images of each class, which this data set does not say")
    present = [count for count in counts if count]
    # A class without training images has none to weigh; that of validation images must be something.
    return [sum(present) / (len(present) * max(1, count)) for count in counts]
