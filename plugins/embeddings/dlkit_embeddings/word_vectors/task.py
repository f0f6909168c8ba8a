"""The contract of word embeddings: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_embeddings.word_vectors.info import ABSENT, WordsInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split
    from dlkit.samples import Sample


class WordEmbeddings(Task[WordsInfo]):
    """A word from those around it, or before it.

    ``target`` is a word's number, ``context`` those of the words around it in the order of the text, −1 beyond its
    ends. ``outputs`` are logits over the vocabulary. Where ``info.passage`` is P, each P targets of a training batch
    are consecutive words of the text, which a trainer may make use of.
    """

    Info = WordsInfo
    batch = {"target": Column("int64[N]"), "context": Column("int64[N,W]", padding=ABSENT)}
    inputs = ("context",)
    outputs = Column("float32[N,words]")

    def axes(self, info: WordsInfo) -> Mapping[str, int]:
        return {"W": info.before + info.after, "words": len(info.words)}

    def ranges(self, info: WordsInfo) -> Mapping[str, tuple[float, float]]:
        return {"target": (0, len(info.words)), "context": (0, len(info.words))}

    def metrics(self, info: WordsInfo) -> Metrics[Tensor]:
        from dlkit_embeddings.word_vectors.metrics import WordMetrics

        return WordMetrics()

    def constant(self, info: WordsInfo, train: Split) -> Callable[[Batch], Tensor]:
        """The words, by how common they are."""
        from dlkit.data.constant import log_shares, same_for_all, some_of

        return same_for_all(log_shares(some_of(train, "target"), len(info.words)), "target")

    def preview(self, info: WordsInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_embeddings.word_vectors.preview import commonest, windows

        return [commonest(info), windows(info, split, count)]
