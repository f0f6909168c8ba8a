"""What conjugation minimises."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from dlkit_embeddings.conjugation.info import ConjugationInfo
from dlkit_embeddings.conjugation.options import CrossEntropyConfig

Loss = Callable[[Tensor, Mapping[str, Tensor]], Mapping[str, Tensor]]


def cross_entropy(config: CrossEntropyConfig, info: ConjugationInfo) -> Loss:
    """Formula (C1): the mean over the gaps of −log softmax at the true form, in nats, weighted if asked for."""
    weights = balanced(info.counts) if config.weights == "balanced" else None

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        weight = None if weights is None else weights.to(outputs.device)
        found = F.cross_entropy(outputs, batch["label"], weight, label_smoothing=config.smoothing)
        return {"loss": found}

    return loss


def balanced(counts: list[int]) -> Tensor:
    """Formula (C2): weights float32 [classes], inverse to the counts, of mean 1 over the training gaps.

    Forms never seen weigh 1: they may still stand in a validation gap.
    """
    seen = torch.tensor(counts, dtype=torch.float32)
    weights = seen.sum() / (seen.clamp(min=1) * (seen > 0).sum())
    return torch.where(seen > 0, weights, 1.0)
