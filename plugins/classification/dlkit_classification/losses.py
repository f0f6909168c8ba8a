"""What classification minimises."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from dlkit.task import Loss
from dlkit_classification.info import ClassificationInfo
from dlkit_classification.options import CrossEntropyConfig


def cross_entropy(config: CrossEntropyConfig, info: ClassificationInfo) -> Loss[Tensor]:
    """Mean over the batch of −log softmax at the label, in nats; with smoothing as in Szegedy et al. 2016."""
    smoothing = config.label_smoothing

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.cross_entropy(outputs, batch["label"], label_smoothing=smoothing)}

    return loss
