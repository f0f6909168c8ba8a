"""A model asked for one token after the other: with its own state, or reading everything again each time. NumPy alone:
an exported model is asked so too.

A model that can hold ``limit`` tokens (a transformer) reads the last half of them again when it is full, and goes on
from there: it never sees more than it was trained on. Both ways follow that rule, so they give the same text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from dlkit.decoding import Ids, Scores

State = dict[str, Any]


class Network(Protocol):
    """A model with a state of its own."""

    def begin(self, rows: int) -> object:
        """The state of having read nothing."""

    def __call__(self, tokens: Ids, state: object) -> tuple[Scores, object]:
        """tokens int64 [B,L], a state → logits [B,L,V], the state after."""


def window_start(place: int, limit: int | None) -> int:
    """Where the window begins in which the token at ``place`` (from 0) is read, if a window holds ``limit`` tokens."""
    if limit is None or place < limit:
        return 0
    # By half a window at a time: a token more at a time would mean reading the whole window for every token.
    hop = limit - limit // 2
    return hop * -(-(place - limit + 1) // hop)


class Reader(ABC):
    """A ``dlkit.decoding.Step``: (tokens int64 [B], state) → (logits [B,V] of the next, state).

    ``never`` are numbers of tokens that are not to be written.
    """

    def __init__(self, limit: int | None, never: Sequence[int] = ()) -> None:
        self.limit = limit
        self._never = list(never)

    @abstractmethod
    def read(self, tokens: Ids) -> State:
        """The state after ``tokens`` int64 [B,L], of which there may be none."""

    @abstractmethod
    def _step(self, tokens: Ids, state: State) -> tuple[Scores, State]: ...

    def __call__(self, tokens: Ids, state: State) -> tuple[Scores, State]:
        logits, after = self._step(tokens, state)
        logits = logits.copy()
        logits[:, self._never] = -np.inf
        return logits, after


class Cached(Reader):
    """A state goes along: a step reads one token. ``seen`` int64 [B,…] are the last tokens, ``held`` counts those in
    the model's own state."""

    def __init__(self, network: Network, limit: int | None, never: Sequence[int] = ()) -> None:
        super().__init__(limit, never)
        self._network = network

    def read(self, tokens: Ids) -> State:
        first = window_start(tokens.shape[1] - 1, self.limit) if tokens.shape[1] else 0
        inside = tokens[:, first:]
        own = self._network.begin(len(tokens))
        if inside.shape[1]:
            _, own = self._network(inside, own)
        return {"seen": inside, "held": inside.shape[1], "model": own}

    def _step(self, tokens: Ids, state: State) -> tuple[Scores, State]:
        seen, held, own = state["seen"], state["held"], state["model"]
        if self.limit is not None and held >= self.limit:
            state = self._again(seen[:, -(self.limit // 2) :])
            seen, held, own = state["seen"], state["held"], state["model"]
        logits, own = self._network(tokens[:, None], own)
        kept = np.concatenate((seen, tokens[:, None]), 1) if self.limit is not None else seen[:, :0]
        return logits[:, -1], {"seen": kept, "held": held + 1, "model": own}

    def _again(self, tokens: Ids) -> State:
        _, own = self._network(tokens, self._network.begin(len(tokens)))
        return {"seen": tokens, "held": tokens.shape[1], "model": own}


class Uncached(Reader):
    """Everything in the window is read at every token: for models without a state of their own, and as the measure of
    those that have one. ``network``: tokens int64 [B,L] → logits [B,L,V]."""

    def __init__(self, network: Callable[[Ids], Scores], limit: int | None, never: Sequence[int] = ()) -> None:
        super().__init__(limit, never)
        self._network = network

    def read(self, tokens: Ids) -> State:
        return {"seen": tokens}

    def _step(self, tokens: Ids, state: State) -> tuple[Scores, State]:
        seen = np.concatenate((state["seen"], tokens[:, None]), 1)
        first = window_start(seen.shape[1] - 1, self.limit)
        return self._network(seen[:, first:])[:, -1], {"seen": seen}
