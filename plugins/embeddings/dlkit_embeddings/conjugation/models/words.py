"""What all models have: the words' vectors before them, a perceptron at their end."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.errors import UsageError
from dlkit_embeddings.conjugation.info import PAD_ID, ConjugationInfo
from dlkit_embeddings.conjugation.options import ModelConfig

SIZE = 64
"""Numbers of a word's vector where nothing says how many."""


class WordVectors(nn.Module):
    """``info``'s vectors, frozen unless the options say otherwise; without any, random ones that are trained along.

    Formula (C4): they are scaled to a mean square of 1, so that one learning rate suits vectors of every origin.
    """

    def __init__(self, config: ModelConfig, info: ConjugationInfo) -> None:
        super().__init__()
        vectors = None if info.vectors is None else torch.from_numpy(np.array(info.vectors, np.float32))
        self.size = _size(config, vectors)
        self.embedding = nn.Embedding(len(info.words), self.size, padding_idx=PAD_ID, _weight=vectors)
        self.embedding.weight.requires_grad_(vectors is None or not config.freeze)
        self.scale: Tensor
        self.register_buffer("scale", torch.tensor(1.0))
        if vectors is not None and bool(vectors.any()):
            self.scale.copy_(vectors[1:].square().mean().rsqrt())  # without <pad>, which is 0

    def forward(self, context: Tensor) -> Tensor:
        """int64 [N,W] → [N,W,size]."""
        vectors: Tensor = self.embedding(context) * self.scale
        return vectors


def _size(config: ModelConfig, vectors: Tensor | None) -> int:
    if vectors is None:
        return config.embedding or SIZE
    if config.embedding not in (None, vectors.shape[1]):
        raise UsageError(
            f"model.embedding = {config.embedding}: the vectors of dataset.embeddings have {vectors.shape[1]} numbers"
        )
    return vectors.shape[1]


def perceptron(inputs: int, config: ModelConfig, info: ConjugationInfo) -> nn.Sequential:
    """[N, inputs] → logits [N, classes], through the hidden layers."""
    layers: list[nn.Module] = []
    for units in config.hidden:
        layers += [nn.Dropout(config.dropout), nn.Linear(inputs, units), nn.GELU()]
        inputs = units
    return nn.Sequential(*layers, nn.Dropout(config.dropout), nn.Linear(inputs, len(info.classes)))
