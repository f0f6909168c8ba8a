"""From a text to gaps: where a form of *be* or *have* stands, and the words around it; the same way for questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dlkit.data.text.segments import join_words
from dlkit.data.text.vocabulary import Ids
from dlkit_embeddings.conjugation.forms import FORMS, PAD_ID, UNKNOWN_ID, Reading
from dlkit_embeddings.conjugation.numbered_text import HOLE, Flags, NumberedText, Numbering, number_text
from dlkit_embeddings.spelling import NUMBER

GAP = "___"

_LABELS = {form: label for label, form in enumerate(FORMS)}


@dataclass(frozen=True)
class Gaps:
    """``context`` int64 [N,W], numbers of words, −1 where there is none; ``label`` int64 [N], the forms in the gaps."""

    context: Ids
    label: Ids = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.label)

    def at(self, index: Flags | Ids) -> Gaps:
        return Gaps(self.context[index], self.label[index])


def gaps_of(text: NumberedText, numbering: Numbering, *, window: int, across: bool) -> Gaps:
    """Every form of *be* and *have* in a text, with the words around it."""
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
    near = np.where(seen, near, places[:, None])  # any place inside the text: what is not seen is replaced below
    if not across:
        seen &= text.sentences[near] == text.sentences[places][:, None]
    return np.where(seen, text.words[near], -1)


def question_context(text: str, info: Reading) -> Ids:
    """The context of the one ``HOLE`` in a text as the model's numbers, int64 [W]."""
    numbering = Numbering()
    words = number_text(text, numbering, lower=info.lower, signs=info.signs, rules=info.rules)
    (place,) = np.flatnonzero(words.words == numbering([HOLE])[0])
    near = words_around(words, np.array([place]), window=info.window, across=info.across)[0]
    numbers: Ids = translation(numbering.words, info.words)[near]
    return numbers


def unknown_words(text: str, info: Reading) -> list[str]:
    """What of a text the model sees as ``<unk>``: each word and sign once, as it is spelled for the model."""
    numbering = Numbering()
    read = number_text(text, numbering, lower=info.lower, signs=info.signs, rules=info.rules)
    numbers, words = translation(numbering.words, info.words), numbering.words
    return [words[place] for place in dict.fromkeys(read.words.tolist()) if numbers[place] == UNKNOWN_ID]


def translation(words: Sequence[str], vocabulary: Sequence[str]) -> Ids:
    """Numbers in ``vocabulary`` by number in ``words``, int64 [words + 1]; the last is that of ``<pad>``.

    What the vocabulary lacks is ``<unk>``, or, of numbers, ``<number>``, if it has that.
    """
    known = {word: number for number, word in enumerate(vocabulary)}
    figure = known.get(NUMBER, UNKNOWN_ID)
    strange = (figure if any(map(str.isdigit, word)) else UNKNOWN_ID for word in words)
    numbers = (known.get(word, other) for word, other in zip(words, strange, strict=True))
    return np.array([*numbers, PAD_ID], np.int64)  # −1, no word, indexes the last


def context_text(context: Sequence[int], info: Reading) -> str:
    """A context as text, the gap in it."""
    words = [info.words[number] if number != PAD_ID else "" for number in context]
    filled = [*words[: info.window], GAP, *words[info.window :]]
    return join_words((word for word in filled if word), rules=info.rules)
