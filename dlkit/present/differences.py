"""Two texts word by word: which words the other lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
MOST = 2000
"""Letters of a text that are compared: it takes time with their square."""

Part = tuple[str, bool]
"""A piece of a text, and whether the other text lacks it."""


def compared(one: str, other: str) -> tuple[list[Part], list[Part]]:
    """Both texts in pieces that make them up again; beyond ``MOST`` letters nothing is marked."""
    first, second = _WORDS.findall(one[:MOST]), _WORDS.findall(other[:MOST])
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    kept_first = {place for block in blocks for place in range(block.a, block.a + block.size)}
    kept_second = {place for block in blocks for place in range(block.b, block.b + block.size)}
    return (
        [*_joined(first, kept_first), *_rest(one)],
        [*_joined(second, kept_second), *_rest(other)],
    )


def _joined(words: list[str], kept: set[int]) -> Iterator[Part]:
    for place, word in enumerate(words):
        yield word, place not in kept and not word.isspace()


def _rest(text: str) -> list[Part]:
    return [(text[MOST:], False)] if len(text) > MOST else []
