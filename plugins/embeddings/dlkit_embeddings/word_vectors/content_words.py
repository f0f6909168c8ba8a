"""The words worth showing: frequent ones with a meaning of their own."""

from __future__ import annotations

import unicodedata

import numpy as np

from dlkit.data.text.vocabulary import UNKNOWN
from dlkit_embeddings.spelling import NUMBER
from dlkit_embeddings.word_vectors.info import WordsInfo

_SHORTEST = 4
"""Letters of a word that is taken to have a meaning of its own."""


def _is_letter(character: str) -> bool:
    """A letter, or a sign that combines with one."""
    return character.isalpha() or unicodedata.category(character).startswith("M")


def content_words(info: WordsInfo, count: int) -> list[int]:
    """The commonest words that are neither short nor stop words of scikit-learn's list; without any, the commonest."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    def telling(word: str) -> bool:
        return len(word) >= _SHORTEST and all(map(_is_letter, word)) and word.lower() not in ENGLISH_STOP_WORDS

    order = np.argsort(-np.asarray(info.counts), kind="stable").tolist()
    known = [i for i in order if info.words[i] not in (UNKNOWN, NUMBER)]
    return ([i for i in known if telling(info.words[i])] or known)[:count]
