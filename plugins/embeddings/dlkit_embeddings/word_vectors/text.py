"""A part's text by number, and what of it an epoch has: frequent words are left out anew each time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dlkit.data.randomness import rng
from dlkit_embeddings.word_vectors.vocabulary import Words

Places = npt.NDArray[np.int64]
_SIGMAS = 4
"""An epoch is planned this many standard deviations shorter than the words left on average, so that nearly every draw
leaves enough: one in 30 000 does not."""


@dataclass(frozen=True)
class Text:
    """A part's words, and which of them are targets.

    words    their numbers, int32 [n]
    targets  whether a vocabulary word is asked for, bool [words]
    kept     each vocabulary word's chance to stay in an epoch, float32 [words]; None: all stay
    cap      times a word is a target in an epoch at most
    """

    words: Words
    targets: npt.NDArray[np.bool_]
    kept: npt.NDArray[np.float32] | None = None
    cap: int | None = None

    def places(self) -> Places:
        """Where targets stand."""
        return np.flatnonzero(self.targets[self.words])

    def expected(self) -> int:
        """Targets that every epoch has, except for very rare ones: so its length is known before the run."""
        counts = np.bincount(self.words, minlength=len(self.targets)).astype(np.float64)
        chance = np.ones_like(counts) if self.kept is None else self.kept.astype(np.float64)
        asked = np.where(self.targets, counts, 0.0)
        if self.cap is not None:
            return int(np.minimum(asked * chance, self.cap).sum())
        # Each word stays or not by itself: the variance of a sum of Bernoulli trials.
        spread = np.sqrt((asked * chance * (1 - chance)).sum())
        return int((asked * chance).sum() - _SIGMAS * spread)

    def epoch(self, seed: int, epoch: int) -> Text:
        """The text as it is in an epoch, with the words that were drawn to stay.

        Words are left out before windows are cut, as in word2vec's program: what is left moves together, so that a
        window reaches further.
        """
        if self.kept is None:
            return self
        drawn = rng(seed, "subsample", epoch).random(len(self.words), dtype=np.float32)
        left = self.words[drawn < self.kept[self.words]]
        return Text(left if len(left) else self.words, self.targets, None, self.cap)

    def drawn(self, seed: int, epoch: int) -> Places:
        """Where an epoch's targets stand in its text (``epoch``): all, or of each word ``cap`` drawn at random."""
        places = self.places()
        if self.cap is None:
            return places
        # Shuffled, then sorted by word: the first ``cap`` of each word are a random choice of its places.
        shuffled = rng(seed, "cap", epoch).permutation(places)
        by_word = np.argsort(self.words[shuffled], kind="stable")
        word = self.words[shuffled][by_word]
        first = np.searchsorted(word, word)  # where a word's own begin
        return np.sort(shuffled[by_word[np.arange(len(word)) - first < self.cap]])
