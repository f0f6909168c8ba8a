"""Text of any script, normal form and length: its words are those that were put together, nothing of it is lost, and
what is left out or cut is said."""

from __future__ import annotations

import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.data.text.pieces import LONGEST, cut_line
from dlkit.data.text.reading import TextReader
from dlkit.data.text.segments import join_words, spaceless, split_words
from dlkit.data.text.tokenizers import Characters, Words, restore, stored

# Letters with what combines with them; every word is letters that each may have signs.
SCRIPTS = {
    "Latin": ("abcxyzßøœđ", "\u0301\u0308\u0327\u0302"),
    "Greek": ("αβγωΣ", "\u0301\u0314"),
    "Cyrillic": ("абвжя", "\u0306\u0308"),
    "Hebrew": ("אבגדה", "\u05b0\u05b8\u05bc"),
    "Arabic": ("ابتثج", "\u064e\u0651\u0652"),
    "Devanagari": ("कखगघचड", "\u093f\u094d\u093c\u0940"),
    "Bengali": ("কখগঘ", "\u09be\u09cd\u09bf"),
    "Tamil": ("கஙசஞ", "\u0bbe\u0bcd\u0bbf"),
    "Thai": ("กขคงจ", "\u0e34\u0e35\u0e48\u0e49"),
    "Khmer": ("កខគឃ", "\u17b6\u17d2\u17b7"),
    "Burmese": ("ကခဂဃ", "\u102d\u103a\u102f"),
    "Hangul": ("가나다한글", ""),
    "Katakana": ("カキクアイ", "\u3099"),
    "Digits": ("0123456789٣४", ""),
}
CONTROLS = "\0\x01\x08\x1b\x7f\x9b"
FORMS = ("NFC", "NFD")


@st.composite
def words(draw: st.DrawFn) -> str:
    letters, signs = SCRIPTS[draw(st.sampled_from(sorted(SCRIPTS)))]
    parts = draw(
        st.lists(st.tuples(st.sampled_from(letters), st.text(signs or "", max_size=2)), min_size=1, max_size=5)
    )
    return "".join(letter + sign for letter, sign in parts)


tokens = st.one_of(
    words(), words(), st.sampled_from(["犬", "は", "!", "—", "。", "👨‍👩‍👧", "🇫🇷", "don't", "mer-veille", "\n"])
)


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def check_words(parts: list[str], form: str) -> None:
    text = unicodedata.normalize(form, " ".join(parts))
    expected = [composed(part) for part in parts]
    assert split_words(text) == expected
    tokenizer = Words.of(text)
    assert tokenizer.encode(text).tolist() == restore(stored(tokenizer)).encode(composed(text)).tolist()
    assert not tokenizer.unknown(composed(text)) and not Characters.of(text).unknown(composed(text))
    assert split_words(join_words(expected)) == expected
    apart = unicodedata.normalize("NFD", text)
    assert (spaceless([text]) is None) == (not any(letter in apart for letter in BLANKLESS))


BLANKLESS = "犬は" + "".join(SCRIPTS[script][0] for script in ("Thai", "Khmer", "Burmese", "Katakana"))


def check_read(parts: list[str], form: str, encoding: str, controls: str) -> None:
    """A file with control characters between its words: they alone are left out, and counted."""
    text = unicodedata.normalize(form, " ".join(parts))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.txt")
        path.write_bytes(f"{text[:5]}{controls}{text[5:]}x".encode(encoding))
        reader = TextReader(encoding if encoding == "gb18030" else "auto")
        assert reader.read(path) == composed(text + "x")
        notes = " ".join(reader.notes())
        assert (f"{len(controls)} control characters" in notes) == bool(controls)
        assert ("composed form" in notes) == (composed(text) != text)


def check_cut(unit: str, length: int) -> None:
    line = (unit * (length // len(unit) + 1))[:length]
    parts = cut_line(line)
    assert max(len(part.encode()) for part in parts) <= LONGEST
    assert (len(parts) > 1) == (len(line.encode()) > LONGEST)
    # Blanks are left out where a part ends, and nothing else.
    assert "".join(parts).replace(" ", "") == line.replace(" ", "")
    assert split_words(" ".join(parts)) == split_words(line) or " " not in line


DRAWN = (st.lists(tokens, min_size=1, max_size=12), st.sampled_from(FORMS))


@given(*DRAWN)
@settings(max_examples=60, deadline=None)
def test_words_are_those_that_were_put_together(parts: list[str], form: str) -> None:
    check_words(parts, form)


@given(*DRAWN, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"]), st.text(CONTROLS, max_size=3))
@settings(max_examples=40, deadline=None)
def test_text_is_read_as_it_was_written(parts: list[str], form: str, encoding: str, controls: str) -> None:
    check_read(parts, form, encoding, controls)


@given(st.lists(tokens, min_size=1, max_size=6).map(" ".join), st.integers(1, 150_000))
@settings(max_examples=15, deadline=None)
def test_long_lines_lose_nothing(unit: str, length: int) -> None:
    check_cut(unit.replace("\n", " ") + " ", length)


@pytest.mark.slow
@given(*DRAWN, st.sampled_from(["utf-8", "utf-16", "gb18030"]), st.text(CONTROLS, max_size=3))
@settings(max_examples=2000, deadline=None)
def test_much_text_is_read_and_cut_as_it_was_written(parts: list[str], form: str, encoding: str, controls: str) -> None:
    check_words(parts, form)
    check_read(parts, form, encoding, controls)


@pytest.mark.slow
@given(st.lists(tokens, min_size=1, max_size=6).map(" ".join), st.integers(1, 300_000))
@settings(max_examples=200, deadline=None)
def test_many_long_lines_lose_nothing(unit: str, length: int) -> None:
    check_cut(unit.replace("\n", " ") + " ", length)
