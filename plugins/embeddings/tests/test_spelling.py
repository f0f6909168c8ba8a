"""Both tasks spell words alike: those of one look up the vectors of the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.data.text.segments import split_words
from dlkit_embeddings.conjugation.numbered_text import Numbering, number_text
from dlkit_embeddings.spelling import spelled
from dlkit_embeddings.word_vectors.options import TextConfig
from dlkit_embeddings.word_vectors.space import Space
from dlkit_embeddings.word_vectors.vocabulary import words_of


@pytest.mark.parametrize(
    ("token", "word"),
    [("don’t", "don't"), ("_never_", "never"), ("well-known", "well-known"), ("__", "__"), ("a_b", "a_b"), ("’", "’")],
)
def test_marks_of_emphasis_and_apostrophes(token: str, word: str) -> None:
    assert spelled(token) == word


@given(st.text("ab’'_- .É1\n", max_size=60))
def test_a_word_is_the_same_word_in_both_tasks(text: str) -> None:
    config = TextConfig(numbers="keep")
    tokens = [token for token in split_words(text, lower=True) if any(map(str.isalnum, token))]
    assert [spelled(token) for token in tokens] == words_of(text, config)


@given(st.text("ab’'_- .!?“É1\n", max_size=60))
def test_with_signs_both_tasks_read_the_same_words(text: str) -> None:
    numbering = Numbering()
    read = number_text(text, numbering, lower=True, signs=True)
    words = [numbering.words[number] for number in read.words.tolist()]
    assert words == words_of(text, TextConfig(signs=True, numbers="keep"))


@given(st.text("ab’_-", min_size=1, max_size=8))
def test_a_question_finds_the_word_that_a_text_has(token: str) -> None:
    words = words_of(token, TextConfig(signs=True))
    if len(split_words(token)) == 1:
        assert Space(words, np.ones((1, 2)), lower=True).find(token) == 0
