"""Tokenizers as data (``coding`` has them): ``stored`` goes into a task's ``info`` and so into every checkpoint."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from dlkit.data.text.coding import Characters, Kind, Pieces, Tokenizer, Words, made
from dlkit.data.text.segments import BEFORE, Rules
from dlkit.task import Array

__all__ = ["Characters", "Kind", "Pieces", "StoredTokenizer", "Tokenizer", "Words", "restore", "stored"]


class StoredTokenizer(BaseModel):
    """The type of an ``Info`` field that keeps a tokenizer."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: Kind = Field(description="characters, words (with punctuation as tokens) or pieces (sentencepiece)")
    tokens: list[str] = Field(default_factory=list, description="the vocabulary by number; empty for pieces")
    lower: bool = Field(False, description="words: whether text is put in lower case first")
    rules: Rules = Field(BEFORE, description="which of the rules of dlkit.data.text.segments made it")
    model: Array | None = Field(None, description="pieces: sentencepiece's model file as uint8")


def stored(tokenizer: Tokenizer) -> StoredTokenizer:
    """What ``restore`` makes it of again."""
    return StoredTokenizer(**tokenizer.parts())


def restore(stored: StoredTokenizer) -> Tokenizer:
    """The tokenizer that was ``stored``."""
    return made(dict(stored))
