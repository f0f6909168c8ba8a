"""A text as words, and the words as numbers: in lower case, without signs, numbers as the options say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dlkit.data.text.segments import NOW, Rules, split_words
from dlkit.data.text.vocabulary import UNKNOWN, Vocabulary
from dlkit.errors import DataError, UsageError
from dlkit_embeddings.spelling import NUMBER, spelled
from dlkit_embeddings.word_vectors.options import TextConfig

Words = npt.NDArray[np.int32]
"""Words by number: half the memory of int64, and every window is cut from it."""


def words_of(text: str, config: TextConfig, rules: Rules = NOW) -> list[str]:
    """The words of a text, in order."""
    found = split_words(text, lower=config.lower, rules=rules)
    # Each spelling is judged once: a text has some fifty times as many words as spellings.
    words = {token: _word(token, config) for token in set(found)}
    return [word for word in map(words.__getitem__, found) if word]


def _word(token: str, config: TextConfig) -> str:
    """A token as a word of the vocabulary; empty: it is left out."""
    word = spelled(token)
    if any(character.isdigit() for character in word):
        return {"keep": word, "drop": "", "one": NUMBER}[config.numbers]
    if any(character.isalpha() for character in word):
        return word
    return word if config.signs and not word.isspace() else ""


def vocabulary_of(words: Sequence[str], config: TextConfig) -> tuple[Vocabulary, npt.NDArray[np.int64]]:
    """The words seen often enough, and how often each was seen, int64 [words]; ``<unk>`` first, unless others are
    left out of the text. DataError: there is none. UsageError: the text has fewer than ``vocabulary`` asks for."""
    counts = Counter(words)
    special = () if config.unknown == "drop" else (UNKNOWN,)
    found = Vocabulary.counted(counts, least=config.least, special=special)
    if len(found) == len(special):
        commonest = max(counts.values(), default=0)
        raise DataError(
            f"no word of the training text is seen dataset.least = {config.least} times; the commonest is seen "
            f"{commonest} times"
        )
    if config.vocabulary is not None:
        found = _commonest(found, config.vocabulary, config.least, with_unknown=bool(special))
    seen = np.array([counts[word] for word in found.tokens], np.int64)
    if special:
        seen[0] = len(words) - seen[1:].sum()
    return found, seen


def _commonest(found: Vocabulary, most: int, least: int, *, with_unknown: bool) -> Vocabulary:
    if most > len(found):
        unknown = f", with {UNKNOWN}" if with_unknown else ""
        raise UsageError(
            f"dataset.vocabulary = {most} is more than this text has words seen dataset.least = {least} times: "
            f"at most {len(found)}{unknown}"
        )
    return Vocabulary(found.tokens[:most])


def numbered(words: Sequence[str], vocabulary: Vocabulary) -> Words:
    """Words as numbers, int32; without ``<unk>`` in the vocabulary unknown ones are left out."""
    if vocabulary.unknown is None:
        words = [word for word in words if word in vocabulary]
    return vocabulary.encode(words).astype(np.int32)
