"""What conjugation minimises."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit_embeddings.conjugation.info import ConjugationInfo
from dlkit_embeddings.conjugation.options import CrossEntropyConfig


class CrossEntropy(nn.Module):
    """Formula (C1): the mean over the gaps of −log softmax at the true form, in nats, weighted if asked for."""

    weights: Tensor | None

    def __init__(self, config: CrossEntropyConfig, info: ConjugationInfo) -> None:
        super().__init__()
        self._smoothing = config.smoothing
        self.register_buffer("weights", balanced(info.counts) if config.weights == "balanced" else None)

    def forward(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.cross_entropy(outputs, batch["label"], self.weights, label_smoothing=self._smoothing)}

    def counts(self, batch: Mapping[str, Tensor], model: nn.Module) -> Mapping[str, Tensor]:
        """The sum of the gaps' weights, which torch divides the smoothed part by as well; of equal ones, gaps."""
        return {} if self.weights is None else {"loss": self.weights[batch["label"]].sum()}


def cross_entropy(config: CrossEntropyConfig, info: ConjugationInfo) -> CrossEntropy:
    return CrossEntropy(config, info)


def balanced(counts: list[int]) -> Tensor:
    """Formula (C2): weights float32 [classes], inverse to the counts, of mean 1 over the training gaps.

    Forms never seen weigh 1: they may still stand in a validation gap.
    """
    seen = torch.tensor(counts, dtype=torch.float32)
    weights = seen.sum() / (seen.clamp(min=1) * (seen > 0).sum())
    return torch.where(seen > 0, weights, 1.0)
