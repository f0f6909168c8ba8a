"""What all models have: the words' vectors before them, a perceptron at their end."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from dlkit.errors import UsageError
from dlkit_embeddings.conjugation.options import ModelConfig

SIZE = 64
"""Numbers of a word's vector where nothing says how many."""


def embedding(config: ModelConfig, info: Any) -> nn.Embedding:
    """``info``'s vectors, frozen unless the options say otherwise; without any, random ones that are trained along."""
    if info.vectors is None:
        return nn.Embedding(len(info.words), config.embedding or SIZE, padding_idx=0)
    vectors = torch.from_numpy(np.array(info.vectors, np.float32))
    if config.embedding not in (None, vectors.shape[1]):
        raise UsageError(
            f"model.embedding = {config.embedding}: the vectors of dataset.embeddings have {vectors.shape[1]} numbers"
        )
    made = nn.Embedding(len(vectors), vectors.shape[1], padding_idx=0, _weight=vectors)
    made.weight.requires_grad_(not config.freeze)
    return made


def perceptron(inputs: int, config: ModelConfig, info: Any) -> nn.Sequential:
    """[N, inputs] → logits [N, classes], through the hidden layers."""
    layers: list[nn.Module] = []
    for units in config.hidden:
        layers += [nn.Dropout(config.dropout), nn.Linear(inputs, units), nn.GELU()]
        inputs = units
    return nn.Sequential(*layers, nn.Dropout(config.dropout), nn.Linear(inputs, len(info.classes)))
