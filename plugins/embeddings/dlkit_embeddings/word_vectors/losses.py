"""What embeddings minimise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from dlkit.config import NoOptions
from dlkit_embeddings.word_vectors.options import NegativeSamplingConfig

Loss = Callable[[Tensor, Mapping[str, Tensor]], Mapping[str, Tensor]]


def cross_entropy(config: NoOptions, info: Any) -> Loss:
    """Mean of −log softmax at the target, in nats."""

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.cross_entropy(outputs, batch["target"])}

    return loss


class NegativeSampling:
    """−log σ(s) of a context's word and its target, −log σ(−s) of it and each of ``negatives`` words drawn at random,
    s the product of their vectors (Mikolov et al. 2013, arXiv 1310.4546, equation 4), a mean over pairs.

    A trainer that takes its gradient by hand knows the weight that each drawn word has; of an evaluation, logits over
    all words are judged by their cross-entropy.
    """

    def __init__(self, config: NegativeSamplingConfig, info: Any) -> None:
        self.negatives = config.negatives

    def __call__(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.cross_entropy(outputs, batch["target"])}

    def of_pairs(self, pairs: Tensor, weight: Tensor, drawn: Tensor, drawn_weight: float) -> Tensor:
        """The loss of scores: ``pairs`` [passages, …] each with its ``weight`` […], ``drawn`` all with the same."""
        total = (F.softplus(-pairs) * weight).sum() + F.softplus(drawn).sum() * drawn_weight
        return total / weight.expand_as(pairs).sum()
