"""From a text to gaps: where a form of *be* or *have* stands, and the words around it; the same way for questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dlkit.data.text.tokenizers import join_words, split_words
from dlkit.data.text.vocabulary import UNKNOWN, Ids
from dlkit_embeddings.conjugation.info import FORMS, ConjugationInfo
from dlkit_embeddings.spelling import NUMBER, plain

PAD = "<pad>"
SPECIAL = (PAD, UNKNOWN)
"""The words numbered 0 and 1."""
GAP = "___"
HOLE = "\ue000"
"""Stands for the gap in a question's text: of Unicode's private use, so no word and no sign that texts have."""

_LABELS = {form: label for label, form in enumerate(FORMS)}
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
        """The first ``share`` of it and the rest, parted where a sentence begins."""
        place = round(share * len(self))
        if 0 < place < len(self):
            place = int(np.searchsorted(self.sentences, self.sentences[place]))
        return self[:place], self[place:]

    def __getitem__(self, span: slice | Flags) -> NumberedText:
        return NumberedText(self.words[span], self.sentences[span])


@dataclass(frozen=True)
class Gaps:
    """``context`` int64 [N,W], numbers of words, −1 where there is none; ``label`` int64 [N], the forms in the gaps."""

    context: Ids
    label: Ids = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.label)

    def at(self, index: Flags | Ids) -> Gaps:
        return Gaps(self.context[index], self.label[index])


def is_sign(word: str) -> bool:
    """Whether a token is punctuation."""
    return len(word) == 1 and not word.isalnum() and word not in ("_", HOLE)


def spelled(token: str) -> str:
    """A token as word vectors have it; signs stay, for a lone ``’`` closes a quotation."""
    return (plain(token) or token) if len(token) > 1 else token


def number_text(text: str, numbering: Numbering, *, lower: bool, signs: bool) -> NumberedText:
    """Words and, if they are wanted, signs; line ends are neither. A sentence ends with ``.``, ``!``, ``?`` or ``…``
    and what closes after it, and with a blank line."""
    tokens = split_words(text, lower=lower)
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


def gaps_of(text: NumberedText, numbering: Numbering, *, window: int, across: bool) -> Gaps:
    """Every form of *be* and *have* in a passage, with the words around it."""
    labels = np.fromiter((_LABELS.get(word.lower(), -1) for word in numbering.words), np.int64)
    found = labels[text.words] if len(text) else text.words
    places = np.flatnonzero(found >= 0)
    return Gaps(words_around(text, places, window=window, across=across), found[places])


def words_around(text: NumberedText, places: Ids, *, window: int, across: bool) -> Ids:
    """Numbers of the ``window`` words left and right of each place [N], int64 [N, 2 × window]; −1 beyond the text, and
    beyond the place's sentence unless ``across``."""
    offsets = np.concatenate([np.arange(-window, 0), np.arange(1, window + 1)])
    near = places[:, None] + offsets
    seen = (near >= 0) & (near < len(text))
    near = np.where(seen, near, places[:, None])
    if not across:
        seen &= text.sentences[near] == text.sentences[places][:, None]
    return np.where(seen, text.words[near], -1)


def question_context(text: str, info: ConjugationInfo) -> Ids:
    """The context of the one ``HOLE`` in a text as the model's numbers, int64 [W]."""
    numbering = Numbering()
    words = number_text(text, numbering, lower=info.lower, signs=info.signs)
    (place,) = np.flatnonzero(words.words == numbering([HOLE])[0])
    near = words_around(words, np.array([place]), window=info.window, across=info.across)[0]
    numbers: Ids = translation(numbering.words, info.words)[near]
    return numbers


def translation(words: Sequence[str], vocabulary: Sequence[str]) -> Ids:
    """Numbers in ``vocabulary`` by number in ``words``, int64 [words + 1]; the last is 0, for −1. What it lacks is 1,
    or, of numbers, ``<number>``, if it has that."""
    known = {word: number for number, word in enumerate(vocabulary)}
    figure = known.get(NUMBER, 1)
    strange = (figure if any(map(str.isdigit, word)) else 1 for word in words)
    return np.array([*(known.get(word, other) for word, other in zip(words, strange, strict=True)), 0], np.int64)


def context_text(context: Sequence[int], info: ConjugationInfo) -> str:
    """A context as text, the gap in it."""
    words = [info.words[number] if number else "" for number in context]
    filled = [*words[: info.window], GAP, *words[info.window :]]
    return join_words(word for word in filled if word)


def _shifted(flags: Flags) -> Flags:
    """What was true one place before."""
    return np.concatenate([np.zeros(1, np.bool_), flags[:-1]]) if len(flags) else flags
