"""A perceptron over the words around the gap, and one behind self-attention."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.nn.attention import join_heads, split_heads
from dlkit_embeddings.conjugation.info import PAD_ID, ConjugationInfo
from dlkit_embeddings.conjugation.models.words import WordVectors, perceptron
from dlkit_embeddings.conjugation.options import AttentionConfig, MlpConfig


def mlp(config: MlpConfig, info: ConjugationInfo) -> nn.Module:
    """context int64 [N,W] → logits [N,classes]."""
    return Mlp(config, info)


def attention(config: AttentionConfig, info: ConjugationInfo) -> nn.Module:
    """context int64 [N,W] → logits [N,classes]."""
    return Attention(config, info)


class Mlp(nn.Module):
    """The words' vectors one after the other: each place has weights of its own."""

    def __init__(self, config: MlpConfig, info: ConjugationInfo) -> None:
        super().__init__()
        self.words = WordVectors(config, info)
        self.head = perceptron(2 * info.window * self.words.size, config, info)

    def forward(self, context: Tensor) -> Tensor:
        logits: Tensor = self.head(self.words(context).flatten(1))
        return logits


class Attention(nn.Module):
    """Left words, the gap (a vector of its own) and right words attend to each other; then all go, one after the other,
    into a perceptron. Where there is no word, nothing is attended to, and zeros go in."""

    def __init__(self, config: AttentionConfig, info: ConjugationInfo) -> None:
        super().__init__()
        self.window = info.window
        self.words = WordVectors(config, info)
        self.enter = nn.Linear(self.words.size, config.width)
        self.gap = nn.Parameter(torch.randn(config.width) * 0.02)
        self.positions: Tensor
        self.register_buffer("positions", sinusoids(2 * info.window + 1, config.width), persistent=False)
        self.layers = nn.ModuleList(
            SelfAttention(config.width, config.heads, config.dropout) for _ in range(config.layers)
        )
        self.head = perceptron((2 * info.window + 1) * config.width, config, info)

    def forward(self, context: Tensor) -> Tensor:
        words = self.enter(self.words(context))
        gap = self.gap.to(words.dtype).expand(words.shape[0], 1, -1)
        x = torch.cat((words[:, : self.window], gap, words[:, self.window :]), 1) + self.positions
        there = context != PAD_ID
        seen = torch.cat((there[:, : self.window], there.new_ones(x.shape[0], 1), there[:, self.window :]), 1)
        for layer in self.layers:
            x = layer(x, seen)
        logits: Tensor = self.head((x * seen[:, :, None]).flatten(1))
        return logits


class SelfAttention(nn.Module):
    """Formula (C5): norm(x + softmax(Q·Kᵀ/√d)·V), several heads side by side.

    Vaswani et al. 2017, arXiv 1706.03762, equation 1 and section 3.2.2.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """x [N,T,width]; ``seen`` bool [N,T] may be attended to, at least one of each row."""
        query, key, value = split_heads(self.project(x), self.heads, parts=3)  # [N, heads, T, width / heads] each
        found = F.scaled_dot_product_attention(query, key, value, seen[:, None, None, :])
        joined = self.join(join_heads(found))
        normed: Tensor = self.norm(x + self.dropout(joined))
        return normed


def sinusoids(length: int, width: int) -> Tensor:
    """Formula (C6): positions float32 [length, width], sine and cosine in turn, of wavelengths from 2π to 10 000 × 2π.

    Vaswani et al. 2017, section 3.5; ``width`` is even.
    """
    place = torch.arange(length, dtype=torch.float64)[:, None]
    angle = place / 10_000 ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.stack((angle.sin(), angle.cos()), 2).flatten(1).float()
