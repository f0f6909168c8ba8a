"""From a text to gaps and the words around them; a question's gap is read as the text's own were."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.data.text.segments import NOW, split_words
from dlkit.errors import UsageError
from dlkit_embeddings.conjugation.conjugator import split_at_gap
from dlkit_embeddings.conjugation.gaps import context_text, gaps_of, question_context, translation, words_around
from dlkit_embeddings.conjugation.info import FORMS
from dlkit_embeddings.conjugation.numbered_text import HOLE, NumberedText, Numbering, is_sign, number_text
from dlkit_embeddings.spelling import spelled

TEXT = 'He was late.\n"Are you (all) ready?" she had\nasked… Nobody is!\n\nA title\n\nThey have been there'
PLAIN = st.text(st.sampled_from("ab .!?’)\n,I"), max_size=40)


def read(text: str, *, signs: bool = True) -> tuple[NumberedText, list[str]]:
    numbering = Numbering()
    found = number_text(text, numbering, lower=True, signs=signs, rules=NOW)
    return found, numbering.words


def sentences(text: str, *, signs: bool = True) -> list[str]:
    found, words = read(text, signs=signs)
    groups = [found.words[found.sentences == number] for number in np.unique(found.sentences)]
    return [" ".join(words[i] for i in group) for group in groups]


def test_sentences_end_with_signs_and_what_closes_after_them_and_with_blank_lines() -> None:
    assert sentences(TEXT) == [
        "he was late .",
        '" are you ( all ) ready ?',
        '" she had asked …',
        "nobody is !",
        "a title",
        "they have been there",
    ]
    assert sentences("Ends (here?!) Next.") == ["ends ( here ? ! )", "next ."]


def test_without_signs_the_sentences_are_the_same() -> None:
    assert sentences(TEXT, signs=False)[:3] == ["he was late", "are you all ready", "she had asked"]


def test_words_are_spelled_as_embeddings_spell_them() -> None:
    assert [spelled(t) for t in ("don’t", "_is_", "__", "_", "’")] == ["don't", "is", "__", "_", "’"]
    assert [is_sign(t) for t in (".", "a", "7", "_", "<number>", HOLE)] == [True] + [False] * 5


def test_every_form_is_a_gap_and_nothing_else_is() -> None:
    numbering = Numbering()
    found = gaps_of(number_text(TEXT, numbering, lower=False, signs=True), numbering, window=2, across=False)
    assert [FORMS[i] for i in found.label] == ["was", "are", "had", "is", "have", "been"]
    words = [*numbering.words, "-"]
    assert [words[i] for i in found.context[1]] == ["-", '"', "you", "("]
    assert [words[i] for i in found.context[5]] == ["They", "have", "there", "-"]


@given(PLAIN, st.integers(1, 4), st.booleans())
def test_what_is_around_a_place(text: str, window: int, across: bool) -> None:
    found, _ = read(text)
    places = np.arange(len(found))
    near = words_around(found, places, window=window, across=across)
    assert near.shape == (len(found), 2 * window)
    for place in places.tolist():
        expected = [
            int(found.words[i])
            if 0 <= i < len(found) and (across or found.sentences[i] == found.sentences[place])
            else -1
            for i in (*range(place - window, place), *range(place + 1, place + window + 1))
        ]
        assert near[place].tolist() == expected


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("signs", [True, False])
def test_a_question_has_the_context_that_training_had(across: bool, signs: bool) -> None:
    numbering = Numbering()
    trained = gaps_of(number_text(TEXT, numbering, lower=True, signs=signs), numbering, window=3, across=across)
    vocabulary = ["<pad>", "<unk>", *numbering.words[::2]]
    info = SimpleNamespace(words=vocabulary, window=3, across=across, lower=True, signs=signs, rules=NOW)
    numbers = translation(numbering.words, vocabulary)[trained.context]
    for number, row in enumerate(numbers):
        assert question_context(_with_hole(TEXT, number), info).tolist() == row.tolist()


def _with_hole(text: str, number: int) -> str:
    """The text, its form of that number replaced."""
    import re

    pattern = re.compile(rf"\b({'|'.join(FORMS)})\b", re.IGNORECASE)
    match = list(pattern.finditer(text))[number]
    return text[: match.start()] + HOLE + text[match.end() :]


@given(st.lists(st.sampled_from(split_words(TEXT)), max_size=40), st.floats(0, 1))
def test_a_cut_parts_sentences_and_loses_nothing(words: list[str], share: float) -> None:
    whole, _ = read(" ".join(words))
    first, rest = whole.cut(share)
    assert [*first.words, *rest.words] == whole.words.tolist()
    assert not set(first.sentences.tolist()) & set(rest.sentences.tolist())


def test_unknown_words_numbers_and_edges_have_numbers_of_their_own() -> None:
    words = ["cat", "1984", "dog"]
    assert translation(words, ["<pad>", "<unk>", "dog"]).tolist() == [1, 1, 2, 0]
    assert translation(words, ["<pad>", "<unk>", "<number>", "cat"]).tolist() == [3, 2, 1, 0]


def test_a_context_is_shown_as_text() -> None:
    info = SimpleNamespace(words=["<pad>", "<unk>", "she", "happy", "."], window=2, rules=NOW)
    assert context_text([0, 2, 3, 4], info) == "she ___ happy."
    assert context_text([0, 0, 0, 0], info) == "___"


@given(PLAIN, PLAIN, st.sampled_from(["_", "___", "________", "[gap]", "[GAP]"]))
def test_one_gap_parts_a_sentence(before: str, after: str, gap: str) -> None:
    assert split_at_gap(f"{before} {gap} {after}") == (f"{before} ", f" {after}")


@given(st.lists(PLAIN, min_size=1, max_size=5).filter(lambda sides: len(sides) != 2))
def test_none_and_several_are_refused(sides: list[str]) -> None:
    match = "no gap in" if len(sides) == 1 else f"{len(sides) - 1} gaps in"
    with pytest.raises(UsageError, match=match):
        split_at_gap(" ___ ".join(sides))


def test_names_with_underscores_are_no_gaps() -> None:
    assert split_at_gap("snake_case and __init__ ___ names") == ("snake_case and __init__ ", " names")
