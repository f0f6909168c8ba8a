"""Both tasks spell words alike: those of one look up the vectors of the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.data.text.tokenizers import split_words
from dlkit_embeddings.conjugation.numbered_text import spelled
from dlkit_embeddings.spelling import plain
from dlkit_embeddings.word_vectors.options import TextConfig
from dlkit_embeddings.word_vectors.vocabulary import words_of


@pytest.mark.parametrize(
    ("token", "word"),
    [("don’t", "don't"), ("_never_", "never"), ("well-known", "well-known"), ("__", ""), ("a_b", "a_b")],
)
def test_marks_of_emphasis_and_apostrophes(token: str, word: str) -> None:
    assert plain(token) == word


@given(st.text("ab’'_- .É1\n", max_size=60))
def test_a_word_is_the_same_word_in_both_tasks(text: str) -> None:
    config = TextConfig(numbers="keep")
    tokens = [token for token in split_words(text, lower=True) if any(map(str.isalnum, token))]
    assert [spelled(token) for token in tokens] == words_of(text, config)
