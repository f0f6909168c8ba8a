"""A model asked for one token after the other: with its own state, or reading everything again each time.

A model that can hold ``limit`` tokens (a transformer) reads the last half of them again when it is full, and goes on
from there: it never sees more than it was trained on. Both ways follow that rule, so they give the same text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dlkit_textgen.info import TextInfo

State = dict[str, Any]


def window_start(place: int, limit: int | None) -> int:
    """Where the window begins in which the token at ``place`` (from 0) is read, if a window holds ``limit`` tokens."""
    if limit is None or place < limit:
        return 0
    # By half a window at a time: a token more at a time would mean reading the whole window for every token.
    hop = limit - limit // 2
    return hop * -(-(place - limit + 1) // hop)


class Reader(ABC):
    """A ``dlkit.decoding.Step``: (tokens int64 [B], state) → (logits float32 [B,V] of the next, state).

    ``never`` are numbers of tokens that are not to be written. The model is in evaluation mode and on its device, where
    tokens and states are too.
    """

    def __init__(self, model: nn.Module, limit: int | None, never: Sequence[int] = ()) -> None:
        self.model: Any = model.eval()
        self.limit = limit
        self._never = list(never)

    @abstractmethod
    def read(self, tokens: Tensor) -> State:
        """The state after ``tokens`` int64 [B,L], of which there may be none."""

    @abstractmethod
    def _step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]: ...

    @torch.no_grad()
    def __call__(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        logits, after = self._step(tokens, state)
        logits[:, self._never] = -torch.inf
        return logits, after


class Cached(Reader):
    """A state goes along: a step reads one token. ``seen`` int64 [B,…] are the last tokens, ``held`` counts those in
    the model's own state."""

    @torch.no_grad()
    def read(self, tokens: Tensor) -> State:
        first = window_start(tokens.shape[1] - 1, self.limit) if tokens.shape[1] else 0
        inside = tokens[:, first:]
        own = self.model.begin(len(tokens))
        if inside.shape[1]:
            _, own = self.model(inside, own)
        return {"seen": inside, "held": inside.shape[1], "model": own}

    def _step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        seen, held, own = state["seen"], state["held"], state["model"]
        if self.limit is not None and held >= self.limit:
            state = self._again(seen[:, -(self.limit // 2) :])
            seen, held, own = state["seen"], state["held"], state["model"]
        logits, own = self.model(tokens[:, None], own)
        kept = torch.cat((seen, tokens[:, None]), 1) if self.limit is not None else seen[:, :0]
        return logits[:, -1], {"seen": kept, "held": held + 1, "model": own}

    def _again(self, tokens: Tensor) -> State:
        _, own = self.model(tokens, self.model.begin(len(tokens)))
        return {"seen": tokens, "held": tokens.shape[1], "model": own}


class Uncached(Reader):
    """Everything in the window is read at every token: for models without a state of their own, and as the measure of
    those that have one."""

    def read(self, tokens: Tensor) -> State:
        return {"seen": tokens}

    def _step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        seen = torch.cat((state["seen"], tokens[:, None]), 1)
        first = window_start(seen.shape[1] - 1, self.limit)
        return self.model(seen[:, first:])[:, -1], {"seen": seen}


def reader(model: nn.Module, info: TextInfo, never: Sequence[int] = ()) -> Reader:
    """How a model of this task is best asked."""
    if callable(getattr(model, "begin", None)):
        return Cached(model, getattr(model, "limit", None), never)
    return Uncached(model, info.context, never)
