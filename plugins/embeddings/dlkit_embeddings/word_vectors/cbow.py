"""``cbow``: a network from a context's vectors to logits over the vocabulary."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from dlkit_embeddings.word_vectors.info import WordsInfo
from dlkit_embeddings.word_vectors.options import CbowConfig


def cbow(config: CbowConfig, info: WordsInfo) -> nn.Module:
    """context int64 [N,W] → logits [N,words]."""
    return Cbow(config, info)


class Cbow(nn.Module):
    """Formula (10): logits = U · perceptron(joined) + b, of a context's vectors one after the other or averaged.

    One after the other they are the network of Bengio et al. (2003, JMLR 3, 1137–1155); averaged and without a hidden
    layer they are the CBOW of Mikolov et al. (2013, arXiv 1301.3781, section 3.1), with a full softmax.
    """

    def __init__(self, config: CbowConfig, info: WordsInfo) -> None:
        super().__init__()
        words, width = len(info.words), info.before + info.after
        self.embedding = nn.Embedding(words + 1, config.size)
        """The last row stands for an absent word."""
        nn.init.normal_(self.embedding.weight, std=config.size**-0.5)
        self.average = config.join == "average"
        joined = config.size if self.average else config.size * width
        self.perceptron = _perceptron(joined, config)
        # U; tied, it is the embedding (Press and Wolf 2017, arXiv 1608.05859).
        self.head = None if config.tied else nn.Linear([joined, *config.hidden][-1], words, bias=False)
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
            joined = (vectors * mask).sum(1) / mask.sum(1).clamp(min=1)  # of the words that are there
        else:
            joined = vectors.flatten(1)  # an absent word has a vector of its own
        matrix = self.vectors() if self.head is None else self.head.weight
        return nn.functional.linear(self.perceptron(joined), matrix, self.bias)


def _perceptron(inputs: int, config: CbowConfig) -> nn.Sequential:
    """Dropout and the hidden layers; if tied, one more to the size of a vector, which ends in a norm, not a ReLU."""
    sizes = [inputs, *config.hidden, *([config.size] if config.tied else [])]
    layers: list[nn.Module] = [nn.Dropout(config.dropout)]
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(config.dropout)]
    if config.tied:
        layers = [*layers[:-2], nn.LayerNorm(config.size)]
    return nn.Sequential(*layers)
