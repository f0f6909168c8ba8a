"""Text as numbers and back: characters, words with their punctuation, or sentencepiece's subwords.

A tokenizer is data: ``stored()`` goes into a task's ``info`` and so into every checkpoint; ``restore`` makes it again.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from dlkit.data.text.vocabulary import UNKNOWN, Ids, Vocabulary
from dlkit.task import Array

Kind = Literal["characters", "words", "pieces"]


class StoredTokenizer(BaseModel):
    """The type of an ``Info`` field that keeps a tokenizer."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: Kind = Field(description="characters, words (with punctuation as tokens) or pieces (sentencepiece)")
    tokens: list[str] = Field(default_factory=list, description="the vocabulary by number; empty for pieces")
    lower: bool = Field(False, description="words: whether text is put in lower case first")
    model: Array | None = Field(None, description="pieces: sentencepiece's model file as uint8")


class Tokenizer(ABC):
    """``decode(encode(text))`` is the text again for characters; the others may change white space."""

    kind: ClassVar[Kind]

    @abstractmethod
    def __len__(self) -> int:
        """How many tokens there are; numbers are 0 to that."""

    @abstractmethod
    def encode(self, text: str) -> Ids:
        """int64 [tokens]; what is not in the vocabulary becomes ``<unk>``, or is left out where there is none."""

    @abstractmethod
    def decode(self, ids: Iterable[int]) -> str: ...

    @abstractmethod
    def token(self, number: int) -> str:
        """One token, to be shown."""

    @abstractmethod
    def unknown(self, text: str) -> list[str]:
        """What of a text the vocabulary lacks, each once, in order."""

    @abstractmethod
    def stored(self) -> StoredTokenizer: ...


class Characters(Tokenizer):
    """Every character of the text it was made from is a token, in the order of their code points."""

    kind = "characters"

    def __init__(self, tokens: Sequence[str]) -> None:
        self.vocabulary = Vocabulary(tokens)

    @classmethod
    def of(cls, text: str) -> Characters:
        # By code point: the order of a set is another one in every process.
        return cls(sorted(set(text)))

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> Ids:
        return self.vocabulary.encode([c for c in text if c in self.vocabulary])

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.vocabulary.decode(ids))

    def token(self, number: int) -> str:
        return self.vocabulary.tokens[number]

    def unknown(self, text: str) -> list[str]:
        return [c for c in dict.fromkeys(text) if c not in self.vocabulary]

    def stored(self) -> StoredTokenizer:
        return StoredTokenizer(kind=self.kind, tokens=list(self.vocabulary.tokens))


_WORD = re.compile(r"\w+(?:['’-]\w+)*|\n|[^\w\s]")
_CLOSING = frozenset(".,;:!?)]}%…”»\n")
"""No blank before these."""
_OPENING = frozenset("([{«“\n")
"""No blank after these."""


def split_words(text: str, *, lower: bool = False) -> list[str]:
    """Words (with inner apostrophes and hyphens), signs and line ends, each a token; other white space is dropped."""
    return _WORD.findall(text.lower() if lower else text)


def join_words(words: Iterable[str]) -> str:
    """Words and signs as text, with blanks where a writer would put them."""
    # As if after a line end: no blank before the first word.
    text, before = "", "\n"
    for word in words:
        text += word if before in _OPENING or word in _CLOSING or not text else f" {word}"
        before = word
    return text


class Words(Tokenizer):
    """Words, punctuation and line ends seen often enough; the others are ``<unk>``."""

    kind = "words"

    def __init__(self, tokens: Sequence[str], *, lower: bool = False) -> None:
        self.vocabulary = Vocabulary(tokens)
        self.lower = lower

    @classmethod
    def of(cls, text: str, *, least: int = 1, most: int | None = None, lower: bool = False) -> Words:
        """Of the words seen ``least`` times the commonest, at most ``most`` tokens with ``<unk>``."""
        # Equally common words go by spelling (``counted``): a vocabulary is the same wherever it is made.
        counts = Counter(split_words(text, lower=lower))
        found = Vocabulary.counted(counts, least=least, most=most, special=[UNKNOWN])
        return cls(found.tokens, lower=lower)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> Ids:
        return self.vocabulary.encode(split_words(text, lower=self.lower))

    def decode(self, ids: Iterable[int]) -> str:
        return join_words(self.vocabulary.decode(ids))

    def token(self, number: int) -> str:
        return self.vocabulary.tokens[number]

    def unknown(self, text: str) -> list[str]:
        return [w for w in dict.fromkeys(split_words(text, lower=self.lower)) if w not in self.vocabulary]

    def stored(self) -> StoredTokenizer:
        return StoredTokenizer(kind=self.kind, tokens=list(self.vocabulary.tokens), lower=self.lower)


class Pieces(Tokenizer):
    """Subwords by sentencepiece, of a trained ``model`` (the bytes of its file).

    Where the line end is a piece of its own (``train_pieces(…, symbols=["\\n"])``), lines are encoded one by one and
    kept: a line's first word is then made of the pieces that it is made of elsewhere.
    """

    kind = "pieces"

    def __init__(self, model: bytes) -> None:
        from sentencepiece import SentencePieceProcessor

        self.model = model
        self.processor: Any = SentencePieceProcessor(model_proto=model)
        # sentencepiece drops line ends as white space, unless they were made a piece in training.
        number = int(self.processor.piece_to_id("\n"))
        self._line_end = None if number == self.processor.unk_id() else number

    def __len__(self) -> int:
        return int(self.processor.get_piece_size())

    def encode(self, text: str) -> Ids:
        if self._line_end is None:
            return np.array(self.processor.encode(text), np.int64)
        # Line by line: encoded as one text, the word after a line end would be cut without its blank.
        lines = self.encode_all(text.split("\n"))
        return np.array([i for line in lines for i in (*line, self._line_end)][:-1], np.int64)

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Many texts in one call, which takes a tenth of the time that one at a time takes."""
        found: list[list[int]] = self.processor.encode(list(texts))
        return found

    def decode(self, ids: Iterable[int]) -> str:
        lines: list[list[int]] = [[]]
        for number in ids:
            if number == self._line_end:
                lines.append([])
            else:
                lines[-1].append(int(number))
        return "\n".join(str(self.processor.decode(line)) for line in lines)

    def token(self, number: int) -> str:
        return str(self.processor.id_to_piece(int(number)))

    def unknown(self, text: str) -> list[str]:
        # Asked for pieces, it gives unknown ones as they are written; their number alone says so.
        pieces, number = self.processor.encode(text, out_type=str), self.processor.unk_id()
        return [p for p in dict.fromkeys(pieces) if self.processor.piece_to_id(p) == number]

    def stored(self) -> StoredTokenizer:
        return StoredTokenizer(kind=self.kind, model=np.frombuffer(self.model, np.uint8).copy())


def restore(stored: StoredTokenizer) -> Tokenizer:
    """The tokenizer that ``stored()`` described."""
    if stored.kind == "characters":
        return Characters(stored.tokens)
    if stored.kind == "words":
        return Words(stored.tokens, lower=stored.lower)
    return Pieces(np.asarray(stored.model, np.uint8).tobytes())
