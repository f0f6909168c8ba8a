"""Text as numbers and back, with NumPy alone: characters, words with their punctuation, or sentencepiece's subwords.

An exported model takes this along: ``parts`` is what must be known of a tokenizer, ``made`` makes it again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from dlkit.data.names import composed
from dlkit.data.text.lines import cut_line
from dlkit.data.text.segments import BEFORE, NOW, Rules, join_words, split_words
from dlkit.data.text.vocabulary import UNKNOWN, Ids, Vocabulary

Kind = Literal["characters", "words", "pieces"]
Parts = Mapping[str, Any]
"""The fields of ``tokenizers.StoredTokenizer``, those that a kind needs."""


class Tokenizer(ABC):
    """``decode(encode(text))`` is the text again for characters (composed: NFC); the others may change white space."""

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
    def parts(self) -> Parts:
        """What ``made`` makes it of again."""


class Characters(Tokenizer):
    """Every character of the text it was made from is a token, in the order of their code points."""

    kind = "characters"

    def __init__(self, tokens: Sequence[str], rules: Rules = NOW) -> None:
        self.vocabulary = Vocabulary(tokens)
        self.rules = rules

    @classmethod
    def of(cls, text: str, rules: Rules = NOW) -> Characters:
        # By code point: the order of a set is another one in every process.
        return cls(sorted(set(_formed(text, rules))), rules)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> Ids:
        return self.vocabulary.encode([c for c in _formed(text, self.rules) if c in self.vocabulary])

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.vocabulary.decode(ids))

    def token(self, number: int) -> str:
        return self.vocabulary.tokens[number]

    def unknown(self, text: str) -> list[str]:
        return [c for c in dict.fromkeys(_formed(text, self.rules)) if c not in self.vocabulary]

    def parts(self) -> Parts:
        return {"kind": self.kind, "tokens": list(self.vocabulary.tokens), "rules": self.rules}


class Words(Tokenizer):
    """Words, punctuation and line ends seen often enough; the others are ``<unk>``."""

    kind = "words"

    def __init__(self, tokens: Sequence[str], *, lower: bool = False, rules: Rules = NOW) -> None:
        self.vocabulary = Vocabulary(tokens)
        self.lower, self.rules = lower, rules

    @classmethod
    def of(
        cls, text: str, *, least: int = 1, most: int | None = None, lower: bool = False, rules: Rules = NOW
    ) -> Words:
        """Of the words seen ``least`` times the commonest, at most ``most`` tokens with ``<unk>``."""
        # Equally common words go by spelling (``counted``): a vocabulary is the same wherever it is made.
        counts = Counter(split_words(text, lower=lower, rules=rules))
        found = Vocabulary.counted(counts, least=least, most=most, special=[UNKNOWN])
        return cls(found.tokens, lower=lower, rules=rules)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> Ids:
        return self.vocabulary.encode(self._split(text))

    def decode(self, ids: Iterable[int]) -> str:
        return join_words(self.vocabulary.decode(ids), rules=self.rules)

    def token(self, number: int) -> str:
        return self.vocabulary.tokens[number]

    def unknown(self, text: str) -> list[str]:
        return [w for w in dict.fromkeys(self._split(text)) if w not in self.vocabulary]

    def parts(self) -> Parts:
        tokens = list(self.vocabulary.tokens)
        return {"kind": self.kind, "tokens": tokens, "lower": self.lower, "rules": self.rules}

    def _split(self, text: str) -> list[str]:
        return split_words(text, lower=self.lower, rules=self.rules)


class Pieces(Tokenizer):
    """Subwords by sentencepiece, of a trained ``model`` (the bytes of its file).

    Where the line end is a piece of its own (``train_pieces(…, symbols=["\\n"])``), lines are encoded one by one and
    kept: a line's first word is then made of the pieces that it is made of elsewhere.
    """

    kind = "pieces"

    def __init__(self, model: bytes, rules: Rules = NOW) -> None:
        from sentencepiece import SentencePieceProcessor

        self.model, self.rules = model, rules
        self.processor: Any = SentencePieceProcessor(model_proto=model)
        # sentencepiece drops line ends as white space, unless they were made a piece in training.
        number = int(self.processor.piece_to_id("\n"))
        self._line_end = None if number == self.processor.unk_id() else number

    def __len__(self) -> int:
        return int(self.processor.get_piece_size())

    def encode(self, text: str) -> Ids:
        if self._line_end is None:
            return np.array(self._encoded([text])[0], np.int64)
        # Line by line: encoded as one text, the word after a line end would be cut without its blank.
        lines = self._encoded(text.split("\n"))
        return np.array([i for line in lines for i in (*line, self._line_end)][:-1], np.int64)

    def _encoded(self, lines: Sequence[str]) -> list[list[int]]:
        """Each line's tokens; long ones in parts, since sentencepiece adds up a line's scores in 32 bits."""
        parts = [[line] if self.rules == BEFORE else cut_line(line) for line in lines]
        numbers = iter(self.encode_all([part for line in parts for part in line]))
        return [[number for _ in line for number in next(numbers)] for line in parts]

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Many texts in one call, which takes a tenth of the time that one at a time takes."""
        found: list[list[int]] = self.processor.encode([_formed(text, self.rules) for text in texts])
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
        pieces, number = self.processor.encode(_formed(text, self.rules), out_type=str), self.processor.unk_id()
        return [p for p in dict.fromkeys(pieces) if self.processor.piece_to_id(p) == number]

    def parts(self) -> Parts:
        return {"kind": self.kind, "model": np.frombuffer(self.model, np.uint8).copy(), "rules": self.rules}


def made(parts: Parts) -> Tokenizer:
    """The tokenizer of these parts."""
    rules: Rules = parts["rules"]
    if parts["kind"] == "characters":
        return Characters(parts["tokens"], rules)
    if parts["kind"] == "words":
        return Words(parts["tokens"], lower=parts["lower"], rules=rules)
    return Pieces(np.asarray(parts["model"], np.uint8).tobytes(), rules)


def given(name: str, tokenizer: Tokenizer) -> dict[str, object]:
    """A tokenizer as an exported model is given it; ``taken`` makes it again."""
    parts = dict(tokenizer.parts())
    # Bytes by a name of their own: an exported folder keeps them as a file, which sentencepiece itself reads too.
    model = parts.pop("model", None)
    return {name: parts, **({} if model is None else {f"{name}.model": model.tobytes()})}


def taken(name: str, known: Parts) -> Tokenizer:
    """The tokenizer that an exported model was given under a name."""
    parts = dict(known[name])
    # Back to what a checkpoint holds: ``made`` is the one way in which a tokenizer is made again.
    if (model := known.get(f"{name}.model")) is not None:
        parts["model"] = np.frombuffer(model, np.uint8)
    return made(parts)


def _formed(text: str, rules: Rules) -> str:
    return text if rules == BEFORE else composed(text)
