"""The contract of word embeddings: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from dlkit.task import Array, Column, Info, Metrics, Task

if TYPE_CHECKING:
    from dlkit.data.splits import Split
    from dlkit.samples import Sample

ABSENT = -1
"""What stands in a context where the text has no word: beyond its ends."""


class WordsInfo(Info):
    """The vocabulary, how text becomes words, and what a context holds."""

    words: list[str] = Field(min_length=1, description="the vocabulary by number, the commonest first after <unk>")
    counts: Array = Field(description="how often each was seen in training, int64 [words]")
    subsample: float = Field(0.0, ge=0, lt=1, description="share beyond which words are left out in training; 0: none")
    lower: bool = Field(description="whether words are in lower case")
    before: int = Field(ge=0, description="words of a context that stand before the target")
    after: int = Field(ge=0, description="words of a context that stand after it")
    passage: int = Field(0, ge=0, description="targets of a training batch that follow each other in the text; 0: none")


class WordEmbeddings(Task):
    """A word from those around it, or before it.

    ``target`` is a word's number, ``context`` those of the words about it in the order of the text, −1 beyond its ends.
    ``outputs`` are logits over the vocabulary. Where ``info.passage`` is P, each P targets of a training batch are
    consecutive words of the text, which a trainer may make use of.
    """

    Info = WordsInfo
    batch = {"target": Column("int64[N]"), "context": Column("int64[N,W]", padding=ABSENT)}
    inputs = ("context",)
    outputs = Column("float32[N,words]")

    def metrics(self, info: Any) -> Metrics:
        from dlkit_embeddings.word_vectors.metrics import WordMetrics

        return WordMetrics()

    def preview(self, info: Any, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_embeddings.word_vectors.preview import commonest, windows

        return [commonest(info), windows(info, split, count)]
