"""Where words begin and end, in every script; versioned, since what a model learnt it must be asked in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Literal, TypeAlias

from dlkit.data.names import composed
from dlkit.errors import DataError

Rules: TypeAlias = Literal[1, 2]
"""How text becomes tokens. 1: as it stands, a word being what ``str.isalnum`` says, without combining signs; until
2026, and for whatever was trained then. 2: in Unicode's composed form (NFC), words with their combining signs."""
BEFORE: Rules = 1
NOW: Rules = 2

_WORD = re.compile(r"\w+(?:['’-]\w+)*|\n|[^\w\s]")
_CLOSING = frozenset(".,;:!?)]}%…”»\n")
"""No blank before these."""
_OPENING = frozenset("([{«“\n")
"""No blank after these."""
_MORE_CLOSING = _CLOSING | frozenset("।॥،؛؟۔、。，．：；！？）」』】》〉។៖፣፤።")
_MORE_OPENING = _OPENING | frozenset("¿¡（「『【《〈„‚")

_INVISIBLE = re.compile("[\u00ad\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
"""Marks of where a line may break and which way it runs: a word with one is the word without it."""
_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_RUNS = re.compile(r"[\u3099-\u309c\u30a0-\u30ff\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc]")
"""Of these, letters that are words together: katakana, and what is as wide as a sign of Chinese."""
_SPACELESS = {
    "Thai": "\u0e00-\u0e7f",
    "Lao": "\u0e80-\u0eff",
    "Tibetan": "\u0f00-\u0fff",
    "Burmese": "\u1000-\u109f",
    "Khmer": "\u1780-\u17ff",
    "Chinese or Japanese": "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
}
"""Scripts that put no blanks between words."""


@cache
def _composed_word() -> re.Pattern[str]:
    import regex  # 20 ms, and nobody but who reads text needs it

    # A letter, digit or _ with what modifies it. Joiners shape a word of Persian or Hindi, and stay in it. Signs of
    # Chinese and hiragana are words by themselves (UAX #29): a line of them has no blank, and would be one word.
    sign, alone = r"[[\p{L}\p{N}_]--[\p{Han}\p{Hiragana}]]", r"[\p{Han}\p{Hiragana}]"
    run = rf"{sign}(?:{sign}|[\p{{M}}\u200c\u200d])*"
    # Other signs are taken as a reader sees them: an emoji of five code points is one (\X, a grapheme cluster).
    pattern: re.Pattern[str] = regex.compile(rf"(?V1){run}(?:['’-]{run})*|{alone}\p{{M}}*|\n|(?![\s\x1c-\x1f])\X")
    return pattern


def split_words(text: str, *, lower: bool = False, rules: Rules = NOW) -> list[str]:
    """Words (with inner apostrophes and hyphens), signs and line ends, each a token; other white space is dropped."""
    if rules == BEFORE:
        return _WORD.findall(text.lower() if lower else text)
    # Lower case may take a letter apart again. A zero-width space stands where a blank would, in Thai or Khmer.
    text = composed(text.lower() if lower else text).replace("\u200b", " ")
    return _composed_word().findall(_INVISIBLE.sub("", text))


def join_words(words: Iterable[str], *, rules: Rules = NOW) -> str:
    """Words and signs as text, with blanks where a writer would put them."""
    opening, closing = (_OPENING, _CLOSING) if rules == BEFORE else (_MORE_OPENING, _MORE_CLOSING)
    # As if after a line end: no blank before the first word.
    text, before = "", "\n"
    for word in words:
        together = before in opening or word in closing or not text or (rules != BEFORE and _both_cjk(before, word))
        text += word if together else f" {word}"
        before = word
    return text


def _both_cjk(before: str, word: str) -> bool:
    """Whether no blank belongs between two words; two of katakana would be one without it."""
    pair = before[-1:], word[:1]
    return all(map(_CJK.match, pair)) and not all(map(_RUNS.match, pair))


def spaceless(texts: Sequence[str]) -> tuple[str, int, str] | None:
    """The script without blanks between words that is the commonest in some texts, its signs, and the first run of
    them; None: there is none."""
    found = []
    for script, signs in _SPACELESS.items():
        # Compiled by Python's own re: it passes over text without such signs at 300 MB a second.
        runs = [run for text in texts for run in re.findall(f"[{signs}]+", text)]
        if runs:
            found.append((sum(map(len, runs)), script, runs[0]))
    if not found:
        return None
    count, script, first = max(found)
    return script, count, first


def spaceless_note(texts: Sequence[str], instead: str) -> list[str]:
    """What to say where words cannot be told by blanks; ``instead``: what to use."""
    if (found := spaceless(texts)) is None:
        return []
    script, count, first = found
    shown = f"{first[:20]}…" if len(first) > 20 else first
    what = "each sign is a word by itself" if script.startswith("Chinese") else "what stands between blanks is one word"
    return [
        f"{count:,} signs are {script}, written without blanks between words: {what} (the first: {shown}). {instead}"
    ]


@contextmanager
def saying_spaceless(texts: Sequence[str], instead: str) -> Iterator[None]:
    """A DataError from inside says too that words could not be told by blanks: there are then few, and each is rare."""
    try:
        yield
    except DataError as error:
        if not (note := spaceless_note(texts, instead)):
            raise
        raise DataError("\n".join([str(error), *note])) from error
