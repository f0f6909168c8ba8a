"""What a data set of word vectors tells models, losses, trainers and predictors; no torch here."""

from __future__ import annotations

from pydantic import Field

from dlkit.data.text.segments import BEFORE, Rules
from dlkit.task import Array, Info

ABSENT = -1
"""Stands in a context where the text has no word: beyond its ends."""


class WordsInfo(Info):
    """The vocabulary, how text becomes words, and what a context holds."""

    words: list[str] = Field(min_length=1, description="the vocabulary by number, the commonest first after <unk>")
    counts: Array = Field(description="how often each was seen in training, int64 [words]")
    subsample: float = Field(0.0, ge=0, lt=1, description="share beyond which words are left out in training; 0: none")
    lower: bool = Field(description="whether words are in lower case")
    rules: Rules = Field(BEFORE, description="which of the rules of dlkit.data.text.segments text becomes words by")
    before: int = Field(ge=0, description="words of a context that stand before the target")
    after: int = Field(ge=0, description="words of a context that stand after it")
    passage: int = Field(0, ge=0, description="targets of a training batch that follow each other in the text; 0: none")
