"""Words as points: which are near each other, what an analogy comes to, and how cosines correlate with judgements."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dlkit.data.names import composed
from dlkit.data.text.segments import BEFORE, NOW, Rules
from dlkit.data.text.vocabulary import UNKNOWN
from dlkit.errors import DataError
from dlkit_embeddings.spelling import spelled
from dlkit_embeddings.word_vectors.benchmarks import Analogy, Pair

Floats = npt.NDArray[np.floating[Any]]
_ROWS = 1000
"""Analogies answered at a time: their scores over all words are one matrix."""


class Space:
    """Words as points on the unit sphere: ``vectors`` [words, size] are scaled to length 1."""

    def __init__(self, words: Sequence[str], vectors: Floats, *, lower: bool, rules: Rules = NOW) -> None:
        self.words, self.lower, self.rules = list(words), lower, rules
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self.vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
        self._places = {word: place for place, word in enumerate(self.words) if word != UNKNOWN}
        self._unknown = [place for place, word in enumerate(self.words) if word == UNKNOWN]

    def find(self, word: str) -> int | None:
        """The number of a word, spelled as the text's words are; None: it has no vector."""
        return self._places.get(self._spelled(word))

    def place(self, word: str) -> int:
        """``find``, but DataError names an unknown word, with known ones that are spelled like it."""
        found = self.find(word)
        if found is None:
            near = difflib.get_close_matches(self._spelled(word), self._places, 3)
            hint = f"spelled like it: {', '.join(near)}" if near else "none is spelled like it"
            raise DataError(f"no vector for {word!r} among {len(self._places):,} words; {hint}")
        return found

    def nearest(self, plus: Sequence[int], minus: Sequence[int], top: int) -> list[tuple[str, float]]:
        """Words by their cosine with Σ plus − Σ minus, of unit vectors, without those words themselves.

        Of one word that is formula (11); of an analogy it is (12), 3CosAdd (Mikolov, Yih and Zweig 2013; so called by
        Levy and Goldberg 2014, Linguistic regularities in sparse and explicit word representations).
        """
        wanted = self.vectors[list(plus)].sum(0) - self.vectors[list(minus)].sum(0)
        # All lengths are 1, so that one product with the matrix has the cosines of all words.
        cosines = self.vectors @ (wanted / max(float(np.linalg.norm(wanted)), 1e-12))
        left_out = {*plus, *minus, *self._unknown}
        order = [i for i in np.argsort(-cosines, kind="stable")[: top + len(left_out)].tolist() if i not in left_out]
        return [(self.words[i], float(cosines[i])) for i in order[:top]]

    def all_nearest(self, top: int) -> Iterator[tuple[str, list[tuple[str, float]]]]:
        """``nearest`` of every word, one after the other; of words, ``<unk>`` is none."""
        known = np.array([place for place in range(len(self.words)) if place not in set(self._unknown)], np.int64)
        top = min(top, len(known) - 1)
        for first in range(0, len(known), _ROWS):
            rows = known[first : first + _ROWS]
            cosines = self.vectors[rows] @ self.vectors.T
            cosines[:, self._unknown] = -np.inf
            cosines[np.arange(len(rows)), rows] = -np.inf
            order = np.argsort(-cosines, axis=1, kind="stable")[:, :top]
            for row, place in enumerate(rows.tolist()):
                chosen = order[row].tolist()
                yield self.words[place], [(self.words[i], float(cosines[row, i])) for i in chosen]

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
        """Whether (12) comes to the answer, of each analogy; None: one of its words is unknown.

        ``<unk>`` never answers: it is not a word.
        """
        asked = [[self.find(word) for word in (a.one, a.other, a.third, a.answer)] for a in analogies]
        known = [i for i, row in enumerate(asked) if None not in row]
        found: list[bool | None] = [None] * len(asked)
        for first in range(0, len(known), _ROWS):
            rows = known[first : first + _ROWS]
            one, other, third, answer = np.array([asked[i] for i in rows], np.int64).T
            # Not divided by the sum's length: that does not change which word is nearest.
            scores = (self.vectors[other] - self.vectors[one] + self.vectors[third]) @ self.vectors.T
            scores[:, self._unknown] = -np.inf
            for given in (one, other, third):
                scores[np.arange(len(rows)), given] = -np.inf
            for i, right in zip(rows, (scores.argmax(1) == answer).tolist(), strict=True):
                found[i] = right
        return found

    def _spelled(self, word: str) -> str:
        word = word.lower() if self.lower else word
        return spelled(word if self.rules == BEFORE else composed(word))


def spearman(one: Floats, other: Floats) -> float | None:
    """Formula (13), Spearman's ρ: Pearson's correlation of the ranks; None where one side is constant."""
    a, b = ranks(one), ranks(other)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else None


def ranks(values: Floats) -> Floats:
    """Ranks from 1 on; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranked: Floats = (last - (counts - 1) / 2)[inverse]
    return ranked
