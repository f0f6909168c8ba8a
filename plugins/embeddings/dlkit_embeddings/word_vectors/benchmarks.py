"""Files that say how near words should be: similarities that people have judged, and analogies."""

from __future__ import annotations

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
class Analogy:
    """``one`` is to ``other`` as ``third`` is to ``answer``."""

    one: str
    other: str
    third: str
    answer: str
    section: str


def read_pairs(path: Path, text: str) -> list[Pair]:
    """Lines of two words and a number, between tabs, blanks or commas; lines that begin with # are comments. DataError
    names a line that is not of this form; the first may be a heading."""
    found: list[Pair] = []
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    for number, line in lines:
        cells = [cell.strip() for cell in line.split("\t" if "\t" in line else "," if "," in line else None)]
        try:
            found.append(Pair(cells[0], cells[1], float(cells[2])))
        except (IndexError, ValueError) as error:
            if number == lines[0][0] and len(cells) >= 3:
                continue
            raise DataError(f"{path}: line {number}: must be two words and a number, not {line[:60]!r}") from error
    if not found:
        raise DataError(f"{path}: holds no pairs of words")
    return found


def read_analogies(path: Path, text: str) -> list[Analogy]:
    """Lines of four words, under headings ``: section``. DataError names a line that is not of this form."""
    found: list[Analogy] = []
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
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
    """Whether a file's lines look like analogies: a heading of theirs, or four words."""
    first = next((line for line in text.splitlines() if line.strip() and line[0] != "#"), "")
    return first.startswith(":") or (len(first.split()) == 4 and "\t" not in first)
