"""Words of a text, and the vocabulary."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.errors import DataError, UsageError
from dlkit_embeddings.word_vectors.options import TextConfig
from dlkit_embeddings.word_vectors.vocabulary import numbered, vocabulary_of, words_of

TEXT = "Don’t say _never_: 3 Cats,\n12.5 cats—well-known!"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "don't say never cats cats well-known"),
        ({"lower": False}, "Don't say never Cats cats well-known"),
        ({"numbers": "one"}, "don't say never <number> cats <number> <number> cats well-known"),
        ({"numbers": "keep"}, "don't say never 3 cats 12 5 cats well-known"),
        ({"signs": True}, "don't say never : cats , . cats — well-known !"),
    ],
)
def test_words(options: dict[str, Any], expected: str) -> None:
    assert words_of(TEXT, TextConfig(**options)) == expected.split()


@given(st.text(max_size=200))
def test_any_text_gives_words_without_white_space(text: str) -> None:
    for options in ({}, {"signs": True, "numbers": "keep", "lower": False}):
        words = words_of(text, TextConfig(**options))  # type: ignore[arg-type]
        assert all(word and word.split() == [word] for word in words)


def test_rare_words_are_unknown_or_left_out() -> None:
    words = ["a", "b", "a", "c", "b", "a", "d"]
    vocabulary, counts = vocabulary_of(words, TextConfig(least=2))
    assert vocabulary.tokens == ("<unk>", "a", "b") and counts.tolist() == [2, 3, 2]
    assert numbered(words, vocabulary).tolist() == [1, 2, 1, 0, 2, 1, 0]
    vocabulary, counts = vocabulary_of(words, TextConfig(least=2, unknown="drop"))
    assert vocabulary.tokens == ("a", "b") and counts.tolist() == [3, 2]
    assert numbered(words, vocabulary).tolist() == [0, 1, 0, 1, 0]


def test_what_the_text_does_not_have_is_named_with_what_it_has() -> None:
    words = ["a", "b", "a", "c", "b", "a"]
    with pytest.raises(UsageError, match=r"vocabulary = 9 is more .* at most 3, with <unk>"):
        vocabulary_of(words, TextConfig(least=2, vocabulary=9))
    with pytest.raises(UsageError, match=r"at most 2$"):
        vocabulary_of(words, TextConfig(least=2, vocabulary=9, unknown="drop"))
    assert len(vocabulary_of(words, TextConfig(least=2, vocabulary=3))[0]) == 3
    with pytest.raises(DataError, match=r"least = 4 times; the commonest is seen 3 times"):
        vocabulary_of(words, TextConfig(least=4))
