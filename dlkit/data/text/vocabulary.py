"""Which tokens there are, and their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]

UNKNOWN = "<unk>"


class Vocabulary:
    """``tokens[i]`` has number i. With ``<unk>`` among them every other token has its number; without, KeyError."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)
        self._ids = {token: i for i, token in enumerate(self.tokens)}
        # Of a token that is there twice, only the second number could be asked for; the first would never be learnt.
        if len(self._ids) < len(self.tokens):
            twice = next(token for token, count in Counter(self.tokens).items() if count > 1)
            raise ValueError(f"token {twice!r} is there twice")
        self.unknown = self._ids.get(UNKNOWN)

    @classmethod
    def counted(
        cls, counts: Mapping[str, int], *, least: int = 1, most: int | None = None, special: Sequence[str] = ()
    ) -> Vocabulary:
        """``special`` tokens first, then those seen ``least`` times, the commonest first (equally common: by
        spelling), at most ``most`` in all."""
        common = sorted(
            (t for t, n in counts.items() if n >= least and t not in special), key=lambda t: (-counts[t], t)
        )
        return cls([*special, *common][:most])

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    def __getitem__(self, token: str) -> int:
        """Its number; KeyError if it has none."""
        return self._ids[token]

    def encode(self, tokens: Sequence[str]) -> Ids:
        """Numbers, int64 [N]; KeyError names a token that is not there, if there is no ``<unk>``."""
        if self.unknown is None:
            return np.fromiter(map(self._ids.__getitem__, tokens), np.int64, len(tokens))
        # Local names: this runs once a word of the text.
        known, unknown = self._ids.get, self.unknown
        return np.fromiter((known(token, unknown) for token in tokens), np.int64, len(tokens))

    def decode(self, ids: Iterable[int]) -> list[str]:
        return [self.tokens[i] for i in ids]
