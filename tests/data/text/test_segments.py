"""Words in every script, composed or not; and the rules of before, by which older runs are asked and resumed."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.data.text.corpus import python_docs
from dlkit.data.text.segments import BEFORE, NOW, join_words, spaceless, spaceless_note, split_words
from dlkit.data.text.tokenizers import Characters, StoredTokenizer, Words, restore, stored


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("हिन्दी पढ़ता है।", ["हिन्दी", "पढ़ता", "है", "।"]),  # Hindi: vowel signs, virama, nukta
        ("மொழி தமிழ்", ["மொழி", "தமிழ்"]),
        ("বাংলা ভাষা", ["বাংলা", "ভাষা"]),
        ("السَّلامُ عليكم؟", ["السَّلامُ", "عليكم", "؟"]),  # Arabic with its short vowels
        ("שָׁלוֹם עוֹלָם", ["שָׁלוֹם", "עוֹלָם"]),
        ("می‌خواهم", ["می‌خواهم"]),  # a joiner shapes a word of Persian
        ("Việt Nam", ["Việt", "Nam"]),
        ("e\u0301te\u0301 pie\u0300ce", ["été", "pièce"]),
        ("ระบบ คอมพิวเตอร์", ["ระบบ", "คอมพิวเตอร์"]),
        ("ខ្ញុំ\u200bស្រឡាញ់", ["ខ្ញុំ", "ស្រឡាញ់"]),  # a zero-width space between words of Khmer
        ("我爱你。", ["我", "爱", "你", "。"]),
        ("カタカナはひらがな", ["カタカナ", "は", "ひ", "ら", "が", "な"]),
        ("한국어 낱말", ["한국어", "낱말"]),
        ("A股2024年", ["A", "股", "2024", "年"]),
        ("❤️ 👨‍👩‍👧 🇫🇷!", ["❤️", "👨‍👩‍👧", "🇫🇷", "!"]),
        ("co\u00adopera\u00adtion \ufeffx", ["cooperation", "x"]),
        ("It's l’amie mer-veilles a_b", ["It's", "l’amie", "mer-veilles", "a_b"]),
        (" \u0308abc", ["\u0308", "abc"]),
    ],
)
def test_words_are_whole_in_every_script(text: str, words: list[str]) -> None:
    expected = [unicodedata.normalize("NFC", word) for word in words]
    for form in ("NFC", "NFD"):
        assert split_words(unicodedata.normalize(form, text)) == expected


def test_the_rules_of_before_are_what_they_were() -> None:
    assert split_words("हिन्दी e\u0301", rules=BEFORE) == ["ह", "ि", "न", "्", "द", "ी", "e", "\u0301"]
    assert split_words("我爱你。", rules=BEFORE) == ["我爱你", "。"]
    assert join_words(["我", "爱", "。"], rules=BEFORE) == "我 爱 。" and join_words(["我", "爱", "。"]) == "我爱。"


def test_embedded_text_has_the_same_words_by_both_rules() -> None:
    text = "\n\n".join(python_docs())
    for lower in (False, True):
        assert split_words(text, lower=lower) == split_words(text, lower=lower, rules=BEFORE)
    words = split_words(text)
    assert join_words(words) == join_words(words, rules=BEFORE)


def test_the_rules_are_kept_and_a_tokenizer_of_before_has_none() -> None:
    text = "e\u0301 हिन्दी"
    before = StoredTokenizer.model_validate({"kind": "words", "tokens": ["<unk>", "e", "ह"]})
    assert before.rules == BEFORE and restore(before).encode(text).tolist() == [1, 0, 2, 0, 0, 0, 0, 0]
    for made in (Words.of(text), Characters.of(text)):
        assert stored(made).rules == NOW and restore(stored(made)).encode(text).tolist() == made.encode(text).tolist()
    old = StoredTokenizer.model_validate({"kind": "characters", "tokens": ["\u0301", "e"]})
    assert restore(old).encode("e\u0301").tolist() == [1, 0] and restore(old).encode("\u00e9").tolist() == []


def test_old_characters_and_words_of_a_text_keep_their_numbers() -> None:
    """Pinned: what a checkpoint of before was trained on."""
    text = "naïve cafe\u0301 हिन्दी का “don’t” 3.5\n我爱你 🇫🇷"
    tokens = [stored(Characters.of(text, BEFORE)).tokens, stored(Words.of(text, rules=BEFORE)).tokens]
    digest = hashlib.sha256(repr(tokens).encode()).hexdigest()
    assert digest == "a98e8c84432b8b87f0c261eeb11872f0103c5c37b244066df83c7bc5e1be1749"


@given(st.text())
def test_no_letter_is_lost_and_normal_forms_are_one(text: str) -> None:
    words = split_words(text)
    assert words == split_words(unicodedata.normalize("NFD", text))
    assert all(word == "\n" or not any(c.isspace() for c in word) for word in words)
    kept = "".join(c for c in unicodedata.normalize("NFC", text) if c.isalnum())
    assert "".join(c for word in words for c in word if c.isalnum()) == kept
    assert split_words(" ".join(words)) == words


def test_scripts_without_blanks_are_said() -> None:
    assert spaceless(["plain text, Ελληνικά, हिन्दी"]) is None and spaceless_note(["plain"], "x") == []
    assert spaceless(["abc ไทย", "ภาษา"]) == ("Thai", 7, "ไทย")
    (note,) = spaceless_note(["我爱你们大家的所有东西因为没有空格在里面呢对吧"], "Use pieces.")
    assert note.startswith("23 signs are Chinese or Japanese") and "我爱你们" in note and note.endswith("Use pieces.")
