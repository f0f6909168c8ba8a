"""What may be asked of word vectors: a word, or an analogy."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dlkit.errors import DataError

_SIGN = re.compile(r"\s+([+-])\s+")
_PROPORTION = re.compile(r"\s*(\S+)\s*:\s*(\S+)\s*::\s*(\S+?)\s*(?::\s*\??\s*)?\Z")


@dataclass(frozen=True)
class Question:
    """Words to add and to take away: one word, or an analogy."""

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()


def parse_question(text: str) -> Question:
    """``king``, ``king - man + woman``, ``man : king :: woman``. DataError: none of these."""
    if proportion := _PROPORTION.match(text):
        one, other, third = proportion.groups()
        return Question((other, third), (one,))
    words = _SIGN.split(text.strip())
    signs = ["+", *words[1::2]]
    terms = words[::2]
    if any(not term or len(term.split()) > 1 for term in terms):
        raise DataError(
            f"{text!r} is not a question: give a word, 'king - man + woman', 'man : king :: woman', or a file"
        )
    pairs = list(zip(signs, terms, strict=True))
    return Question(tuple(t for s, t in pairs if s == "+"), tuple(t for s, t in pairs if s == "-"))
