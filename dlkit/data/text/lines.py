"""What is known of sentencepiece's models where they are used: their special pieces, and how long a line may be."""

from __future__ import annotations

import unicodedata

PAD, UNK, BOS, EOS = 0, 1, 2, 3
"""Numbers of the special pieces: padding, unknown, begin and end."""
LONGEST = 1 << 16
"""Bytes of a line that sentencepiece takes; longer ones it leaves out in silence."""
_PART = 1 << 12
"""Characters of the parts that such a line is cut into: what sentencepiece itself takes for a long sentence."""


def cut_line(line: str) -> list[str]:
    """A line in parts that sentencepiece takes, cut at blanks, which are left out there; where there are none, between
    letters. Pieces never reach over a blank: the parts' tokens are the line's."""
    if len(line) <= _PART or len(line.encode()) <= LONGEST:
        return [line]
    parts = []
    first = 0
    while len(line) - first > _PART:
        blank = line.rfind(" ", first + 1, first + _PART)
        end = blank if blank > 0 else _between_letters(line, first, first + _PART)
        parts.append(line[first:end])
        first = end + (blank > 0)
    return [*parts, line[first:]]


def _between_letters(line: str, first: int, end: int) -> int:
    """The last place at or before ``end`` that does not part a letter from its signs, if there is one."""
    place = end
    while place > first + 1 and unicodedata.category(line[place]).startswith("M"):
        place -= 1
    return place if place > first + 1 else end
