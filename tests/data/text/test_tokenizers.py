"""Text to numbers and back."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.data.text.corpus import python_docs, read_text, text_files
from dlkit.data.text.pieces import train_pieces
from dlkit.data.text.segments import join_words, split_words
from dlkit.data.text.tokenizers import Characters, Pieces, StoredTokenizer, Words, restore, stored
from dlkit.data.text.vocabulary import UNKNOWN, Vocabulary
from dlkit.errors import DataError, UsageError

TEXT = "It's cold in winter, isn't it? \"Yes,\" she said (softly): yes.\nLa neige est l’amie des mer-veilles!\n"


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return Pieces(train_pieces(python_docs(), 600, symbols=["<2fr>"]))


@given(st.text())
def test_characters_come_back(text: str) -> None:
    tokenizer = Characters.of(text)
    assert tokenizer.decode(tokenizer.encode(text)) == unicodedata.normalize("NFC", text)
    assert restore(stored(tokenizer)).encode(text).tolist() == tokenizer.encode(text).tolist()


def test_what_is_unknown_is_named() -> None:
    characters = Characters.of("abc")
    assert characters.unknown("cabbage") == ["g", "e"] and characters.decode(characters.encode("cabbage")) == "cabba"
    words = Words.of("a a b", least=2)
    assert words.unknown("a b c b") == ["b", "c"]
    assert words.decode(words.encode("a b")) == f"a {UNKNOWN}"


def test_words_and_their_signs() -> None:
    words = split_words(TEXT)
    assert words[:5] == ["It's", "cold", "in", "winter", ","] and "l’amie" in words and "mer-veilles" in words
    assert join_words(["It's", "cold", ",", "(", "very", ")", "!", "\n", "Yes", "."]) == "It's cold, (very)!\nYes."
    assert Words.of(TEXT, lower=True).unknown("IT'S Cold") == []


@given(st.lists(st.text(st.characters(categories=["Ll"]), min_size=1), max_size=20))
def test_words_come_back(words: list[str]) -> None:
    tokenizer = Words.of(" ".join(words))
    assert split_words(tokenizer.decode(tokenizer.encode(" ".join(words)))) == split_words(" ".join(words))


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 9)), st.integers(1, 5), st.integers(1, 20))
def test_a_vocabulary_holds_the_commonest(counts: dict[str, int], least: int, most: int) -> None:
    vocabulary = Vocabulary.counted(counts, least=least, most=most, special=[UNKNOWN])
    assert vocabulary.tokens[0] == UNKNOWN and len(vocabulary) <= most
    kept = [counts[t] for t in vocabulary.tokens[1:]]
    assert kept == sorted(kept, reverse=True) and all(n >= least for n in kept)
    left_out = [n for t, n in counts.items() if t not in vocabulary and n >= least]
    assert not left_out or not kept or max(left_out) <= min(kept)


def test_without_an_unknown_token_a_stranger_is_a_keyerror() -> None:
    with pytest.raises(KeyError, match="zebra"):
        Vocabulary(["a"]).encode(["a", "zebra"])
    with pytest.raises(ValueError, match="'a' is there twice"):
        Vocabulary(["a", "b", "a"])


def test_pieces(pieces: Pieces) -> None:
    assert len(pieces) == 600
    text = "The assert statement raises an exception."
    assert pieces.decode(pieces.encode(text)) == text
    assert pieces.encode_all([text, "a"])[0] == pieces.encode(text).tolist()
    assert pieces.unknown("snow 雪") == ["雪"]
    assert pieces.token(int(pieces.encode("<2fr> it")[1])) == "<2fr>"


def test_the_same_text_gives_the_same_pieces() -> None:
    lines = ["it is cold in winter", "it is warm in summer"] * 5
    assert train_pieces(lines, 24) == train_pieces(lines, 24)


def test_a_stored_tokenizer_is_restored_from_numbers_and_json(pieces: Pieces) -> None:
    for tokenizer in (pieces, Words.of(TEXT, lower=True), Characters.of(TEXT)):
        fields = stored(tokenizer).model_dump()
        again = restore(StoredTokenizer.model_validate(fields))
        assert np.array_equal(again.encode(TEXT), tokenizer.encode(TEXT)) and len(again) == len(tokenizer)


@pytest.mark.parametrize(("size", "text"), [(5000, "at most"), (10, "at least")])
def test_a_vocabulary_that_does_not_fit_names_the_allowed_number(size: int, text: str) -> None:
    with pytest.raises(UsageError, match=rf"{size} pieces is too \w+ for this text: {text} \d+") as raised:
        train_pieces(["it is cold in winter", "the snow falls"], size)
    allowed = int(str(raised.value).split()[-1])
    assert len(Pieces(train_pieces(["it is cold in winter", "the snow falls"], allowed))) == allowed


def test_no_text_is_named() -> None:
    with pytest.raises(DataError, match="no text"):
        train_pieces(["", "  "], 10)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_mark_are_recognised(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Ça va?\r\nOui.\rBien".encode(encoding))
    assert read_text(path) == "Ça va?\nOui.\nBien"


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("eins\nzw\xf6lf".encode("latin-1"))
    with pytest.raises(DataError, match=r"a\.txt: line 2: byte 0xf6 at 7 is not utf-8"):
        read_text(path)
    assert read_text(path, "latin-1") == "eins\nzwölf"
    with pytest.raises(UsageError, match="klingon"):
        read_text(path, "klingon")
    path.write_text(" \n")
    with pytest.raises(DataError, match="holds no text"):
        read_text(path)
    with pytest.raises(DataError, match="No such file"):
        read_text(tmp_path / "b.txt")


def test_text_files_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no text files"):
        text_files(tmp_path)
    for name in ("b.txt", "a.md", ".hidden.txt", "c.bin"):
        (tmp_path / name).write_text("x")
    assert [p.name for p in text_files(tmp_path)] == ["a.md", "b.txt"]
    assert text_files(tmp_path / "c.bin") == [tmp_path / "c.bin"]
    with pytest.raises(DataError, match="no such file or folder"):
        text_files(tmp_path / "nowhere")


def test_pythons_own_documentation() -> None:
    docs = python_docs()
    words = " ".join(docs).split()
    assert len(docs) > 50 and len(words) > 50_000
    assert not any(line and not line.strip("*") and len(line) > 3 for doc in docs for line in doc.splitlines())


def test_pieces_with_line_ends_keep_lines() -> None:
    lines = [line for topic in python_docs()[:40] for line in topic.split("\n")]
    pieces = Pieces(train_pieces(lines, 400, symbols=["\n"]))
    text = "The value is returned.\n\nThe value\nis a string"
    ids = pieces.encode(text)
    assert pieces.decode(ids) == text
    shown = [pieces.token(i) for i in ids.tolist()]
    assert shown.count("\n") == 3 and pieces.unknown(text) == []
    assert pieces.encode("The value").tolist() == ids[: len(pieces.encode("The value"))].tolist()
    first = pieces.encode("is").tolist()
    assert ids.tolist()[-len(pieces.encode("is a string")) :][: len(first)] == first
    assert pieces.encode("").tolist() == [] and pieces.decode([]) == ""
    assert [pieces.token(i) for i in pieces.encode("\n").tolist()] == ["\n"]
