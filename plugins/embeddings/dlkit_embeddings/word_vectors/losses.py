"""What ``cbow`` minimises; the loss of skip-gram is ``skip_gram/negative_sampling.py``."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from dlkit.config import NoOptions
from dlkit.task import Loss
from dlkit_embeddings.word_vectors.info import WordsInfo


def cross_entropy(config: NoOptions, info: WordsInfo) -> Loss[Tensor]:
    """Mean of −log softmax at the target, in nats."""

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.cross_entropy(outputs, batch["target"])}

    return loss
