"""Recurrent networks that read the words around the gap."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlkit_embeddings.conjugation.info import ConjugationInfo
from dlkit_embeddings.conjugation.models.words import WordVectors, perceptron
from dlkit_embeddings.conjugation.options import RnnConfig

_CELLS: dict[str, type[nn.LSTM | nn.GRU | nn.RNN]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def rnn(config: RnnConfig, info: ConjugationInfo) -> nn.Module:
    """context int64 [N,W] → logits [N,classes]."""
    return Towards(config, info) if config.reading == "towards" else Through(config, info)


def _network(config: RnnConfig, size: int, *, bidirectional: bool = False) -> nn.RNNBase:
    between = config.dropout if config.layers > 1 else 0.0
    return _CELLS[config.cell](
        size, config.units, config.layers, batch_first=True, dropout=between, bidirectional=bidirectional
    )


class Towards(nn.Module):
    """One network reads the left words, another one the right words from the last to the first, so that both end at the
    gap; their last outputs go into a perceptron. Where there are no words, they read zeros before the words."""

    def __init__(self, config: RnnConfig, info: ConjugationInfo) -> None:
        super().__init__()
        self.window = info.window
        self.words = WordVectors(config, info)
        self.dropout = nn.Dropout(config.dropout)
        self.left = _network(config, self.words.size)
        self.right = _network(config, self.words.size)
        self.head = perceptron(2 * config.units, config, info)

    def forward(self, context: Tensor) -> Tensor:
        words = self.dropout(self.words(context))
        before, _ = self.left(words[:, : self.window])
        after, _ = self.right(words[:, self.window :].flip(1))
        logits: Tensor = self.head(torch.cat((before[:, -1], after[:, -1]), 1))
        return logits


class Through(nn.Module):
    """One network reads left words, gap (a vector of its own) and right words, both ways; its output at the gap goes
    into a perceptron."""

    def __init__(self, config: RnnConfig, info: ConjugationInfo) -> None:
        super().__init__()
        self.window = info.window
        self.words = WordVectors(config, info)
        self.gap = nn.Parameter(torch.zeros(self.words.size))
        self.dropout = nn.Dropout(config.dropout)
        self.network = _network(config, self.words.size, bidirectional=True)
        self.head = perceptron(2 * config.units, config, info)

    def forward(self, context: Tensor) -> Tensor:
        words = self.dropout(self.words(context))
        gap = self.gap.expand(words.shape[0], 1, -1)
        read, _ = self.network(torch.cat((words[:, : self.window], gap, words[:, self.window :]), 1))
        logits: Tensor = self.head(read[:, self.window])
        return logits
