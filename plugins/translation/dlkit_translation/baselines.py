"""What translation is without learning to: word by word, and by looking up the likeliest sentence seen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from dlkit.data.text.segments import join_words, split_words

Texts = Sequence[tuple[str, str]]


class WordByWord:
    """Each source word becomes the target word that goes along with it most: that of the largest Dice coefficient,
    2 · sentences with both / (sentences with one + sentences with the other)."""

    def __init__(self, pairs: Texts) -> None:
        ones: Counter[str] = Counter()
        others: Counter[str] = Counter()
        both: dict[str, Counter[str]] = defaultdict(Counter)
        for source, target in pairs:
            left, right = set(split_words(source, lower=True)), set(split_words(target, lower=True))
            ones.update(left)
            others.update(right)
            for word in left:
                both[word].update(right)
        self.dictionary = {
            word: max(counts, key=lambda other: (2 * counts[other] / (ones[word] + others[other]), other))
            for word, counts in both.items()
        }

    def __call__(self, text: str) -> str:
        words = [self.dictionary.get(word, word) for word in split_words(text, lower=True)]
        written = join_words(words)
        return written[:1].upper() + written[1:]


class Nearest:
    """The translation of the training sentence that has most words in common, as a share of the words of both
    (Jaccard); of equal ones, the first."""

    def __init__(self, pairs: Texts) -> None:
        self._targets = [target for _, target in pairs]
        bags = [set(split_words(source, lower=True)) for source, _ in pairs]
        self._sizes = np.array([len(bag) for bag in bags])
        places: dict[str, list[int]] = defaultdict(list)
        for number, bag in enumerate(bags):
            for word in bag:
                places[word].append(number)
        self._places = {word: np.array(numbers) for word, numbers in places.items()}

    def __call__(self, text: str) -> str:
        bag = set(split_words(text, lower=True))
        common = np.zeros(len(self._targets))
        for word in bag & self._places.keys():
            common[self._places[word]] += 1
        return self._targets[int(np.argmax(common / (self._sizes + len(bag) - common)))]
