"""Files that say how near words should be: similarities that people have judged, and analogies."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlkit.errors import DataError


@dataclass(frozen=True)
class Pair:
    """Two words and how similar people find them."""

    one: str
    other: str
    score: float


@dataclass(frozen=True)
class Similarities:
    """The pairs of a file, and what its heading calls their scores, if it has one."""

    pairs: list[Pair]
    score: str = ""


@dataclass(frozen=True)
class Analogy:
    """``one`` is to ``other`` as ``third`` is to ``answer``."""

    one: str
    other: str
    third: str
    answer: str
    section: str


def read_pairs(path: Path, text: str) -> Similarities:
    """Lines of two words and a number, between tabs, commas, semicolons or blanks; those after a # are comments.

    The first line may be a heading. The score is in the first column after the words that holds a number in every line:
    what stands between (a part of speech, as in SimLex-999) is passed over. DataError names a line that is not of this
    form.
    """
    rows = _rows(text)
    if not rows:
        raise DataError(f"{path}: holds no pairs of words")
    heading: list[str] = []
    first = rows[0][1]
    below = _score_column(rows[1:]) if len(rows) > 1 else None
    # A heading may have numbers too (the raters'), but none where all other lines have the score.
    if below is not None and len(first) > 2 and not (below < len(first) and _is_number(first[below])):
        heading, rows = first, rows[1:]
    if (score := _score_column(rows)) is None:
        raise DataError(_without_score(path, rows))
    if all(_is_number(row[0]) for _, row in rows):
        raise DataError(f"{path}: line {rows[0][0]}: its first column holds numbers alone; leave words and score")
    for column in range(2, score):
        # Codes repeat. Where each line has another word, the words may be in other columns than the first two.
        if len({row[column] for _, row in rows}) > _CODES:
            number, row = rows[0]
            what = f"{row[column]!r} stands between two words and their number"
            raise DataError(f"{path}: line {number}: {what}; leave the two words and the number in each line")
    pairs = [Pair(row[0], row[1], float(row[score])) for _, row in rows]
    return Similarities(pairs, heading[score] if score < len(heading) else "")


def _score_column(rows: Sequence[_Row]) -> int | None:
    """The first column after the two words that is a number in every line; None: there is none."""
    columns = range(2, min(len(row) for _, row in rows))
    return next((c for c in columns if all(_is_number(row[c]) for _, row in rows)), None)


def _without_score(path: Path, rows: Sequence[_Row]) -> str:
    """Names the first line without a number in the column where the first line has one, be it no heading."""
    first = rows[0][1]
    if len(rows) > 1 and len(first) > 2 and not any(map(_is_number, first[2:])):
        rows = rows[1:]
    wanted = next((c for c in range(2, len(rows[0][1])) if _is_number(rows[0][1][c])), 2)
    number, row = next((n, row) for n, row in rows if len(row) <= wanted or not _is_number(row[wanted]))
    return f"{path}: line {number}: must be two words and a number, not {' '.join(row)[:60]!r}"


_CODES = 12
"""Parts of speech that a file tells apart at most."""
_Row = tuple[int, list[str]]
"""A line's number and its cells."""


def _rows(text: str) -> list[_Row]:
    """Lines that say something, cut into cells."""
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip() and not line.startswith("#")]
    separator = _separator([line for _, line in lines[:_LOOKED_AT]])
    if separator is None:
        return [(number, line.split()) for number, line in lines]
    return [(number, [cell.strip() for cell in _cells(line, separator)]) for number, line in lines]


def _cells(line: str, separator: str) -> list[str]:
    try:
        # A line at a time: a quotation mark that is not closed takes no other line with it.
        return next(csv.reader([line], delimiter=separator))
    except csv.Error:  # a cell of more than 128 kB
        return line.split(separator)


_LOOKED_AT = 100
"""Lines that tell how cells are separated."""


def _separator(lines: Sequence[str]) -> str | None:
    """The sign that all lines have twice; None: blanks separate."""
    return next((sign for sign in "\t,;" if lines and all(line.count(sign) >= 2 for line in lines)), None)


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def read_analogies(path: Path, text: str) -> list[Analogy]:
    """Lines of four words, under headings ``: section``. DataError names a line that is not of this form."""
    found: list[Analogy] = []
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if words[:1] == [":"] or line.startswith(":"):
            section = line[1:].strip()
        elif len(words) == 4:
            one, other, third, answer = words
            found.append(Analogy(one, other, third, answer, section))
        elif words:
            raise DataError(f"{path}: line {number}: must be four words or ': section', not {line[:60]!r}")
    if not found:
        raise DataError(f"{path}: holds no analogies")
    return found


def are_analogies(text: str) -> bool:
    """Whether a file's lines look like analogies: a heading of theirs, or four words a line, none of them a score."""
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")][:_LOOKED_AT]
    if not lines or lines[0].startswith(":"):
        return bool(lines)
    rows = [line.split() for line in lines]
    if _separator(lines) is not None or any(len(row) != 4 for row in rows):
        return False
    below = rows[1:] or rows  # the first line may be a heading
    scored = all(_is_number(row[2]) for row in below)
    # Numerals are words of analogies too (one 1 two 2); beside a code (old new A 1.58) they are a score.
    return not scored and not all(_is_number(row[3]) and row[2].isupper() for row in below)
