"""A text as numbers: its words and signs in the order in which they are met, and where its sentences begin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dlkit.data.text.segments import NOW, Rules, split_words
from dlkit.data.text.vocabulary import Ids
from dlkit_embeddings.spelling import spelled

HOLE = "\ue000"
"""Stands for the gap in a question's text: a character of Unicode's private use, which texts do not have."""

_ENDS = frozenset(".!?…").__contains__
_CLOSING = frozenset("”’)]»").__contains__
Flags = npt.NDArray[np.bool_]


class Numbering:
    """Words by number, in the order in which they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, words: Sequence[str]) -> Ids:
        """int64 [N]; new words get the next numbers."""
        known = self._numbers
        return np.fromiter((known.setdefault(word, len(known)) for word in words), np.int64, len(words))

    @property
    def words(self) -> list[str]:
        return list(self._numbers)

    def mask(self, wanted: Callable[[str], bool]) -> Flags:
        """bool [words]: which of them are ``wanted``."""
        return np.fromiter(map(wanted, self._numbers), np.bool_, len(self._numbers))


@dataclass(frozen=True)
class NumberedText:
    """Words and signs of a text by number, int64 [n], and the number of each one's sentence, int64 [n], ascending."""

    words: Ids
    sentences: Ids

    def __len__(self) -> int:
        return len(self.words)

    def cut(self, share: float) -> tuple[NumberedText, NumberedText]:
        """The first ``share`` of it and the rest, divided where a sentence begins."""
        place = round(share * len(self))
        if 0 < place < len(self):
            place = int(np.searchsorted(self.sentences, self.sentences[place]))
        return self[:place], self[place:]

    def __getitem__(self, span: slice | Flags) -> NumberedText:
        return NumberedText(self.words[span], self.sentences[span])


def is_sign(word: str) -> bool:
    """Whether a token is punctuation."""
    # An emoji of several code points is one sign too; of underscores alone a word may be made.
    return word != HOLE and not any(character.isalnum() or character == "_" for character in word)


def number_text(text: str, numbering: Numbering, *, lower: bool, signs: bool, rules: Rules = NOW) -> NumberedText:
    """Words and, if they are wanted, signs; line ends are neither. A sentence ends with ``.``, ``!``, ``?`` or ``…``
    and what closes after it, and with a blank line."""
    tokens = split_words(text, lower=lower, rules=rules)
    spelling = {token: spelled(token) for token in set(tokens)}
    numbers = numbering([spelling[token] for token in tokens])
    kept = np.flatnonzero(~numbering.mask("\n".__eq__)[numbers])
    words = numbers[kept]
    end, closing = numbering.mask(_ENDS)[words], numbering.mask(_CLOSING)[words]
    after = end | (closing & _shifted(end))
    after |= closing & _shifted(after)
    begins = _shifted(after) & ~end & ~closing
    begins[1:] |= np.diff(kept) > 2  # two line ends or more between them
    found = NumberedText(words, np.cumsum(begins))
    return found if signs else found[~numbering.mask(is_sign)[words]]


def _shifted(flags: Flags) -> Flags:
    """What was true one place before."""
    return np.concatenate([np.zeros(1, np.bool_), flags[:-1]]) if len(flags) else flags
