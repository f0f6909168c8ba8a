"""The loss of negative sampling and its gradient by hand, of passages of text, as products of matrices.

word2vec goes from pair to pair: a word's vector is fetched once for each of its neighbours, and each pair has drawn
words of its own. Here the words of a passage are fetched once, as a matrix, and the scores of all its pairs are a band
of one product. The drawn words stand against the whole passage, so that their scores are a product too; Ji et al.
(2016, arXiv 1604.04661) share them within one word's context.

Sizes in comments: B passages of P words, W = before + P + after words with those around, M drawn words, D numbers a
vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dlkit_embeddings.word_vectors.info import WordsInfo
from dlkit_embeddings.word_vectors.options import NegativeSamplingConfig


class NegativeSampling:
    """The loss ``negative-sampling``: how many words are drawn against each pair.

    A trainer that takes the gradient by hand makes a ``PassageLoss`` of it. An evaluation has logits over all words:
    they are judged by their cross-entropy.
    """

    def __init__(self, config: NegativeSamplingConfig, info: WordsInfo) -> None:
        self.negatives = config.negatives

    def __call__(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.cross_entropy(outputs, batch["target"])}


class Vectors(NamedTuple):
    """Of some passages, or the loss's gradient by them.

    inputs   [B,W,D] v of a passage's words and of those around it
    outputs  [B,P,D] v′ of a passage's words
    noise    [B,M,D] v′ of the words drawn against it
    """

    inputs: Tensor
    outputs: Tensor
    noise: Tensor


@dataclass(frozen=True)
class PassageLoss:
    """Formula (5): L = Σ p(d) · −log σ(v_i · v′_o) + Σ n · −log σ(−v_i · v′_k).

    The first sum is over the pairs of an input i and an output o, the second one over the passage's words i and the
    words k drawn against it. It is (4), negative sampling (Mikolov et al. 2013, arXiv 1310.4546, equation 4), added up
    over the pairs of a passage.

    pair_weights  p, float32 [W,P]: ``window.pair_weights``
    noise_weight  n, what each drawn word counts: so much that each pair has ``negatives`` of them
    before        words before a passage: where in ``inputs`` its own begin
    """

    pair_weights: Tensor
    noise_weight: float
    before: int

    def mean(self, vectors: Vectors) -> Tensor:
        """L over the sum of all p: the loss of a pair and its drawn words, in nats."""
        pairs = vectors.inputs @ vectors.outputs.mT  # [B,W,P]
        noise = self.middle(vectors.inputs) @ vectors.noise.mT  # [B,P,M]
        # softplus(−s) = −log σ(s), without overflow.
        total = (F.softplus(-pairs) * self.pair_weights).sum() + F.softplus(noise).sum() * self.noise_weight
        return total / self.pair_weights.expand_as(pairs).sum()

    def gradient(self, vectors: Vectors) -> Vectors:
        """Formula (6): the derivatives of L, not of its mean, by each vector."""
        inputs, outputs, noise = vectors
        middle = self.middle(inputs)
        # (6): g_io = ∂L/∂s of a pair = p(d) · (σ(s) − 1); g_ik, of a drawn word, = n · σ(s).
        pairs = torch.bmm(inputs, outputs.mT).sigmoid_().sub_(1).mul_(self.pair_weights)  # [B,W,P]
        drawn = torch.bmm(middle, noise.mT).sigmoid_().mul_(self.noise_weight)  # [B,P,M]
        to_inputs = torch.bmm(pairs, outputs)  # ∂L/∂v_i = Σ_o g_io v′_o …
        self.middle(to_inputs).add_(torch.bmm(drawn, noise))  # … + Σ_k g_ik v′_k, of the passage's own words
        # ∂L/∂v′_o = Σ_i g_io v_i and ∂L/∂v′_k = Σ_i g_ik v_i.
        return Vectors(to_inputs, torch.bmm(pairs.mT, inputs), torch.bmm(drawn.mT, middle))

    def middle(self, whole: Tensor) -> Tensor:
        """The passage's own words [B,P,…] among those around them [B,W,…]: a view."""
        return whole[:, self.before : self.before + self.pair_weights.shape[1]]
