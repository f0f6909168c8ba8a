"""What both kinds of network share: embeddings and which weights are one."""

from __future__ import annotations

from torch import Tensor, nn

from dlkit.data.text.pieces import PAD
from dlkit.errors import UsageError
from dlkit_translation.info import TranslationInfo


class Tokens(nn.Module):
    """Embeddings of source and target tokens, and the logits of target tokens from a vector of the same width.

    ``tie``: ``output`` takes the target embedding as the output's weights (Press and Wolf 2017, arXiv 1608.05859),
    ``all`` the source embedding too. UsageError for that where the languages have vocabularies of their own.
    """

    def __init__(self, info: TranslationInfo, width: int, tie: str) -> None:
        super().__init__()
        if tie == "all" and not info.joint:
            raise UsageError("model.tie = 'all': each language has a vocabulary of its own; give dataset.joint = true")
        self.target = nn.Embedding(info.sizes[1], width, padding_idx=PAD)
        self.source = self.target if tie == "all" else nn.Embedding(info.sizes[0], width, padding_idx=PAD)
        self.output = nn.Linear(width, info.sizes[1])
        for embedding in dict.fromkeys((self.source, self.target)):
            nn.init.normal_(embedding.weight, std=width**-0.5)
        if tie != "none":
            self.output.weight = self.target.weight

    def logits(self, vectors: Tensor) -> Tensor:
        """[N,T,width] → float32 [N,T,tokens]."""
        logits: Tensor = self.output(vectors)
        return logits


def inside(source: Tensor) -> Tensor:
    """bool [N,S]: where there is a token."""
    return source != PAD
