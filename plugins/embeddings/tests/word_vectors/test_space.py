"""Neighbours, analogies and correlations against their definitions; files that are not what they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from dlkit.errors import DataError
from dlkit_embeddings.word_vectors.benchmarks import (
    Analogy,
    Pair,
    Similarities,
    are_analogies,
    read_analogies,
    read_pairs,
)
from dlkit_embeddings.word_vectors.questions import Question, parse_question
from dlkit_embeddings.word_vectors.space import Space, ranks, spearman

HERE = Path("file.txt")
WORDS = ["<unk>", "king", "man", "woman", "queen", "apple"]
VECTORS = np.array([[9, 9, 9], [1, 1, 0], [1, 0, 0], [0, 0.1, 1], [0, 1.1, 1], [-1, 0, 0]], np.float32)


@pytest.fixture
def space() -> Space:
    return Space(WORDS, VECTORS, lower=True)


def test_nearest_are_by_cosine_without_the_question(space: Space) -> None:
    """(11)."""
    found = space.nearest([1], [], 9)
    cosines = {w: float(v @ VECTORS[1] / np.linalg.norm(v) / 2**0.5) for w, v in zip(WORDS, VECTORS, strict=True)}
    assert [word for word, _ in found] == ["queen", "man", "woman", "apple"] or found[0][0] == "man"
    for word, cosine in found:
        assert cosine == pytest.approx(cosines[word], abs=1e-6)
    assert [c for _, c in found] == sorted((c for _, c in found), reverse=True)
    assert space.nearest([1, 3], [2], 1)[0][0] == "queen"


def test_an_analogy_is_3cosadd() -> None:
    """(12) by its definition, word by word, as one question and as many."""
    generator = np.random.default_rng(0)
    words, vectors = [f"w{i}" for i in range(30)], generator.normal(size=(30, 4))
    space = Space(words, vectors, lower=True)
    unit = [vector / np.linalg.norm(vector) for vector in vectors]
    asked = []
    for _ in range(20):
        a, b, c = generator.choice(30, 3, replace=False).tolist()
        wanted = unit[b] - unit[a] + unit[c]
        best = max({*range(30)} - {a, b, c}, key=lambda i: float(unit[i] @ wanted))
        assert space.nearest([b, c], [a], 1)[0][0] == words[best]
        asked.append(Analogy(words[a], words[b], words[c], words[best], ""))
    assert space.solved(asked) == [True] * 20


def test_analogies_are_solved_where_their_words_are_known(space: Space) -> None:
    asked = [
        Analogy("man", "king", "woman", "queen", "a"),
        Analogy("Man", "King", "Woman", "Apple", "a"),
        Analogy("man", "king", "girl", "princess", "b"),
    ]
    assert space.solved(asked) == [True, False, None]


def test_the_unknown_word_answers_no_analogy() -> None:
    """Even where it lies nearest."""
    vectors = np.array([[0, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0.8, 1]], np.float32)
    space = Space(WORDS[:5], vectors, lower=True)
    assert space.solved([Analogy("man", "king", "woman", "queen", "a")]) == [True]
    assert space.nearest([1, 3], [2], 1)[0][0] == "queen"


def test_an_unknown_word_is_named_with_those_spelled_like_it(space: Space) -> None:
    with pytest.raises(DataError, match=r"no vector for 'Quen' among 5 words; spelled like it: queen"):
        space.place("Quen")
    with pytest.raises(DataError, match="none is spelled like it"):
        space.place("xyzzyx")
    assert space.find("<unk>") is None and space.place("KING") == 1


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=30))
def test_spearman_is_scipys(pairs: list[tuple[int, int]]) -> None:
    """(13)."""
    one, other = np.array(pairs, float).T
    found = spearman(one, other)
    if found is None:
        assert len(set(one)) == 1 or len(set(other)) == 1
    else:
        assert found == pytest.approx(spearmanr(one, other).statistic, abs=1e-9)


def test_equal_values_share_a_rank() -> None:
    assert ranks(np.array([5.0, 1.0, 5.0, 7.0])).tolist() == [2.5, 1.0, 2.5, 4.0]


def test_a_correlation_is_over_covered_pairs(space: Space) -> None:
    pairs = [Pair("king", "queen", 3), Pair("king", "woman", 1), Pair("king", "apple", 0), Pair("king", "pawn", 9)]
    rho, covered = space.spearman(pairs)
    assert (rho, covered) == (pytest.approx(1.0), 3)
    assert space.spearman(pairs[:1]) == (None, 1)


def test_files_of_pairs() -> None:
    text = "# a comment\nword1\tword2\tscore\nlove\tsex\t6.77\n\ntiger\tcat\t7.35\n"
    assert read_pairs(HERE, text) == Similarities([Pair("love", "sex", 6.77), Pair("tiger", "cat", 7.35)], "score")
    assert read_pairs(HERE, "sun sunlight 50.0\n") == read_pairs(HERE, "sun,sunlight,50\n")
    assert not are_analogies(text) and not are_analogies("a\tb\t1\tmore\n")
    for bad, line in (("a\tb\t1\na\tb\n", 2), ("a b one\nc d two\n", 2), ("nonsense\n", 1)):
        with pytest.raises(DataError, match=rf"file.txt: line {line}: must be two words and a number"):
            read_pairs(HERE, bad)
    with pytest.raises(DataError, match="no pairs"):
        read_pairs(HERE, "# nothing\n")


PUBLISHED = {
    "WordSim-353 combined.csv": ("Word 1,Word 2,Human (mean)\nlove,sex,6.77\ntiger,cat,7.35\n", "Human (mean)"),
    "WordSim-353 set1.csv": ("Word 1,Word 2,Human (mean),1,2\nlove,sex,6.77,9,6\ntiger,cat,7.35,9,7\n", "Human (mean)"),
    "WordSim-353 combined.tab": ("Word 1\tWord 2\tHuman (mean)\nlove\tsex\t6.77\ntiger\tcat\t7.35\n", "Human (mean)"),
    "SimLex-999": ("word1\tword2\tPOS\tSimLex999\tconcQ\nlove\tsex\tN\t6.77\t1\ntiger\tcat\tN\t7.35\t2\n", "SimLex999"),
    "SimLex-999 with blanks": ("word1 word2 POS SimLex999\nlove sex N 6.77\ntiger cat N 7.35\n", "SimLex999"),
    "SimVerb-3500": ("love\tsex\tV\t6.77\tNONE\ntiger\tcat\tV\t7.35\tANTONYMS\n", ""),
    "MEN": ("love sex 6.77\ntiger cat 7.35\n", ""),
    "RG-65": ("love;sex;6.77\ntiger;cat;7.35\n", ""),
    "quoted": ('"Word 1","Word 2","Score"\n"love","sex","6.77"\n"tiger","cat","7.35"\n', "Score"),
    "one pair": ("Word 1,Word 2,Human (mean)\nlove,sex,6.77\n", "Human (mean)"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_similarities_are_read_as_they_are_published(name: str) -> None:
    text, score = PUBLISHED[name]
    assert not are_analogies(text)
    pairs = [Pair("love", "sex", 6.77), Pair("tiger", "cat", 7.35)]
    assert read_pairs(HERE, text) == Similarities(pairs[: 1 if name == "one pair" else 2], score)


def test_words_in_other_columns_are_no_pair() -> None:
    text = "".join(f"I\tword{i}\tother{i}\t{i}\n" for i in range(20))
    with pytest.raises(DataError, match=r"line 1: 'other0' stands between two words and their number"):
        read_pairs(HERE, text)


def test_a_column_of_numbers_before_the_words_is_refused() -> None:
    with pytest.raises(DataError, match="line 2: its first column holds numbers alone"):
        read_pairs(HERE, ",Word 1,Word 2,Score\n0,love,sex,6.77\n1,tiger,cat,7.35\n")


def test_numerals_are_words_of_analogies() -> None:
    assert are_analogies("one 1 two 2\nthree 3 four 4\n")


def test_files_of_analogies() -> None:
    text = ": family\nman king woman queen\n:verbs\ngo went see saw\n"
    assert are_analogies(text) and are_analogies("go went see saw\n")
    found = read_analogies(HERE, text)
    assert [a.section for a in found] == ["family", "verbs"] and found[1].answer == "saw"
    with pytest.raises(DataError, match="line 2: must be four words"):
        read_analogies(HERE, ": family\nman king woman\n")
    with pytest.raises(DataError, match="no analogies"):
        read_analogies(HERE, ": family\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("king", Question(("king",))),
        ("king - man + woman", Question(("king", "woman"), ("man",))),
        ("man : king :: woman", Question(("king", "woman"), ("man",))),
        ("man:king::woman:?", Question(("king", "woman"), ("man",))),
        ("well-known", Question(("well-known",))),
    ],
)
def test_questions(text: str, expected: Question) -> None:
    assert parse_question(text) == expected


@pytest.mark.parametrize("text", ["", "two words", "king - + man", "king -", "absent/file.txt and more"])
def test_what_is_not_a_question_is_said(text: str) -> None:
    with pytest.raises(DataError, match="is not a question"):
        parse_question(text)
