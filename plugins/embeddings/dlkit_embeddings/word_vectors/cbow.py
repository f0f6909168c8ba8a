"""Networks from a context to logits over the vocabulary, with a vector for each word inside."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlkit_embeddings.word_vectors.options import CbowConfig, SkipGramConfig


def cbow(config: CbowConfig, info: Any) -> nn.Module:
    """context int64 [N,W] → logits [N,words]."""
    return Cbow(config, info)


def skip_gram(config: SkipGramConfig, info: Any) -> nn.Module:
    """context int64 [N,W] → logits [N,words]."""
    return SkipGram(config, info)


class Cbow(nn.Module):
    """A perceptron over the vectors of a context, one after the other or averaged (Bengio et al. 2003; without a hidden
    layer the average is Mikolov's CBOW, 2013, arXiv 1301.3781)."""

    def __init__(self, config: CbowConfig, info: Any) -> None:
        super().__init__()
        words, width = len(info.words), info.before + info.after
        self.embedding = nn.Embedding(words + 1, config.size)
        """The last row stands for an absent word."""
        nn.init.normal_(self.embedding.weight, std=config.size**-0.5)
        self.average = config.join == "average"
        sizes = [config.size if self.average else config.size * width, *config.hidden]
        if config.tied:
            sizes.append(config.size)
        layers: list[nn.Module] = [nn.Dropout(config.dropout)]
        for inputs, outputs in itertools.pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(config.dropout)]
        if config.tied and len(layers) > 1:
            layers = [*layers[:-2], nn.LayerNorm(config.size)]
        self.perceptron = nn.Sequential(*layers)
        self.head = None if config.tied else nn.Linear(sizes[-1], words, bias=False)
        self.bias = nn.Parameter(torch.zeros(words))

    def vectors(self) -> Tensor:
        return self.embedding.weight[:-1]

    def hidden_matrices(self) -> list[Tensor]:
        """What Muon is for."""
        return [layer.weight for layer in self.perceptron if isinstance(layer, nn.Linear)]

    def forward(self, context: Tensor) -> Tensor:
        known = context >= 0
        vectors = self.embedding(torch.where(known, context, len(self.embedding.weight) - 1))  # [N,W,size]
        if self.average:
            mask = known[:, :, None].to(vectors.dtype)
            joined = (vectors * mask).sum(1) / mask.sum(1).clamp(min=1)
        else:
            joined = vectors.flatten(1)
        matrix = self.vectors() if self.head is None else self.head.weight
        return nn.functional.linear(self.perceptron(joined), matrix, self.bias)


class SkipGram(nn.Module):
    """Two vectors a word, ``inner`` as context and ``outer`` as target, changed by the trainer's own hand.

    Trained against words drawn with probability q, the product of two vectors comes to log p(target | context's word) −
    log(negatives · q(target)) (Levy and Goldberg 2014), so with log q added it is a logit; a context's is the mean of
    its words'.
    """

    log_noise: Tensor

    def __init__(self, config: SkipGramConfig, info: Any) -> None:
        super().__init__()
        words = len(info.words)
        start = (torch.rand(words + 1, config.size) - 0.5) / config.size
        start[-1] = 0
        self.inner = nn.Parameter(start, requires_grad=False)
        """The last row stands for an absent word and stays 0."""
        self.outer = nn.Parameter(torch.zeros(words, config.size), requires_grad=False)
        noise = np.maximum(np.asarray(info.counts, np.float64), 1) ** config.power
        self.register_buffer("log_noise", torch.from_numpy(np.log(noise / noise.sum()).astype(np.float32)))

    def vectors(self) -> Tensor:
        return self.inner[:-1]

    def forward(self, context: Tensor) -> Tensor:
        known = context >= 0
        total = self.inner[torch.where(known, context, len(self.outer))].sum(1)  # [N,size]
        return total / known.sum(1, keepdim=True).clamp(min=1) @ self.outer.T + self.log_noise
