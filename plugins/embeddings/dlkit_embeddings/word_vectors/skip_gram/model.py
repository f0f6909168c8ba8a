"""Skip-gram's two matrices, and what their product means."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from dlkit_embeddings.word_vectors.info import WordsInfo
from dlkit_embeddings.word_vectors.options import SkipGramConfig
from dlkit_embeddings.word_vectors.skip_gram.noise import noise_distribution


def skip_gram(config: SkipGramConfig, info: WordsInfo) -> nn.Module:
    """context int64 [N,W] → logits [N,words]."""
    return SkipGram(config, info)


class SkipGram(nn.Module):
    """Two vectors a word: v where it is the input, from which another word is predicted; v′ where it is the output.

    The words of a context are inputs and the target is the output, as in word2vec's program. (The paper, Mikolov et al.
    2013, arXiv 1310.4546, predicts the context from the target. With a context on both sides that makes the same
    pairs: of two words within a window, each stands in the other's context.) The inputs' vectors are the embedding.

    No gradients are kept: the trainer changes both matrices itself.
    """

    log_noise: Tensor
    """log q, float32 [words]: formula (3) of the README."""

    def __init__(self, config: SkipGramConfig, info: WordsInfo) -> None:
        super().__init__()
        words = len(info.words)
        # As word2vec's program starts: inputs uniform, outputs 0. Every score is 0 then, and every σ(s) one half.
        start = (torch.rand(words + 1, config.size) - 0.5) / config.size
        start[-1] = 0
        # ``inner`` and ``outer`` are the names in checkpoints, so they stay; code uses the properties below.
        self.inner = nn.Parameter(start, requires_grad=False)
        self.outer = nn.Parameter(torch.zeros(words, config.size), requires_grad=False)
        log_noise = np.log(noise_distribution(info.counts, config.power)).astype(np.float32)
        self.register_buffer("log_noise", torch.from_numpy(log_noise))

    @property
    def input_vectors(self) -> Tensor:
        """v, float32 [words + 1, size]; the last row stands for an absent word and stays 0."""
        return self.inner

    @property
    def output_vectors(self) -> Tensor:
        """v′, float32 [words, size]."""
        return self.outer

    def vectors(self) -> Tensor:
        return self.input_vectors[:-1]

    def forward(self, context: Tensor) -> Tensor:
        """Formula (9): the scores of a context's mean input vector, with log q added.

        Trained against words drawn with probability q, a score comes to log p(o | i) − log(K · q(o)) (Levy and Goldberg
        2014, Neural word embedding as implicit matrix factorization), so with log q it is a logit but for a constant.
        """
        known = context >= 0
        total = self.input_vectors[torch.where(known, context, len(self.output_vectors))].sum(1)  # [N,size]
        mean = total / known.sum(1, keepdim=True).clamp(min=1)
        return mean @ self.output_vectors.T + self.log_noise
