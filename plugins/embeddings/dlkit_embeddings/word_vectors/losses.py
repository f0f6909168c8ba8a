"""What ``cbow`` minimises; the loss of skip-gram is ``skip_gram/negative_sampling.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor

from dlkit.config import NoOptions
from dlkit_embeddings.word_vectors.info import WordsInfo

Loss = Callable[[Tensor, Mapping[str, Tensor]], Mapping[str, Tensor]]


def cross_entropy(config: NoOptions, info: WordsInfo) -> Loss:
    """Mean of −log softmax at the target, in nats."""

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.cross_entropy(outputs, batch["target"])}

    return loss
