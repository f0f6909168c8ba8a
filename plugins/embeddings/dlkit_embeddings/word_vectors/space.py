"""Words beside each other: neighbours, analogies, and files that say how near words ought to be."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dlkit.data.text.vocabulary import UNKNOWN
from dlkit.errors import DataError

Floats = npt.NDArray[np.floating[Any]]
_ROWS = 1000
"""Analogies answered at a time: their scores over all words are one matrix."""


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


class Space:
    """Words as points on the unit sphere: ``vectors`` [words, size] are scaled to length 1."""

    def __init__(self, words: Sequence[str], vectors: Floats, *, lower: bool) -> None:
        self.words, self.lower = list(words), lower
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self.vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
        self._places = {word: place for place, word in enumerate(self.words) if word != UNKNOWN}

    def find(self, word: str) -> int | None:
        """A word's number, its spelling as the text's words are; None: it has no vector."""
        return self._places.get((word.lower() if self.lower else word).replace("’", "'"))

    def place(self, word: str) -> int:
        """``find``, but DataError names an unknown word, with known ones that are spelled like it."""
        found = self.find(word)
        if found is None:
            near = difflib.get_close_matches(word.lower() if self.lower else word, self._places, 3)
            hint = f"spelled like it: {', '.join(near)}" if near else "none is spelled like it"
            raise DataError(f"no vector for {word!r} among {len(self._places):,} words; {hint}")
        return found

    def nearest(self, plus: Sequence[int], minus: Sequence[int], top: int) -> list[tuple[str, float]]:
        """Words by cosine with the sum of some unit vectors less others (3CosAdd: Levy and Goldberg 2014), without
        those words themselves."""
        wanted = self.vectors[list(plus)].sum(0) - self.vectors[list(minus)].sum(0)
        scores = self.vectors @ (wanted / max(float(np.linalg.norm(wanted)), 1e-12))
        left_out = {*plus, *minus, *(i for i, word in enumerate(self.words) if word == UNKNOWN)}
        order = [i for i in np.argsort(-scores, kind="stable")[: top + len(left_out)].tolist() if i not in left_out]
        return [(self.words[i], float(scores[i])) for i in order[:top]]

    def spearman(self, pairs: Sequence[Pair]) -> tuple[float | None, int]:
        """The rank correlation of cosines with people's scores over the pairs whose words are both known, and their
        number; None: fewer than two, or all the same."""
        known = [(self.find(p.one), self.find(p.other), p.score) for p in pairs]
        rows = [(a, b, score) for a, b, score in known if a is not None and b is not None]
        if len(rows) < 2:
            return None, len(rows)
        ones, others = [a for a, _, _ in rows], [b for _, b, _ in rows]
        cosines = (self.vectors[ones] * self.vectors[others]).sum(1)
        return spearman(cosines, np.array([score for _, _, score in rows])), len(rows)

    def solved(self, analogies: Sequence[Analogy]) -> list[bool | None]:
        """Whether the nearest word is the answer, of each; None: one of its words is unknown."""
        asked = [[self.find(word) for word in (a.one, a.other, a.third, a.answer)] for a in analogies]
        known = [i for i, row in enumerate(asked) if None not in row]
        found: list[bool | None] = [None] * len(asked)
        for first in range(0, len(known), _ROWS):
            rows = known[first : first + _ROWS]
            one, other, third, answer = np.array([asked[i] for i in rows], np.int64).T
            scores = (self.vectors[other] - self.vectors[one] + self.vectors[third]) @ self.vectors.T
            for given in (one, other, third):
                scores[np.arange(len(rows)), given] = -np.inf
            for i, right in zip(rows, (scores.argmax(1) == answer).tolist(), strict=True):
                found[i] = right
        return found


def spearman(one: Floats, other: Floats) -> float | None:
    """Spearman's ρ: the correlation of ranks, equal values sharing their mean rank; None where one is constant."""
    a, b = ranks(one), ranks(other)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else None


def ranks(values: Floats) -> Floats:
    """Ranks from 1 on."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranked: Floats = (last - (counts - 1) / 2)[inverse]
    return ranked


def read_pairs(path: Path, text: str) -> list[Pair]:
    """Lines of two words and a number, between tabs, blanks or commas; lines that begin with # say nothing. DataError
    names the line that is not so; the first may be a heading."""
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
    """Lines of four words, under headings ``: section``. DataError names the line that is not so."""
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
