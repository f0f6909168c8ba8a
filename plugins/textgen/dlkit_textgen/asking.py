"""A model in torch as its readers ask it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from dlkit.decoding import Ids, Scores
from dlkit.stepping import as_scores, device_of
from dlkit_textgen.info import TextInfo
from dlkit_textgen.next_token import Cached, Reader, Uncached


class Own:
    """``next_token.Network`` of a model with ``begin``; it is in evaluation mode, its state stays where it is."""

    def __init__(self, model: nn.Module) -> None:
        self.model: Any = model.eval()

    @torch.no_grad()
    def begin(self, rows: int) -> object:
        state: object = self.model.begin(rows)
        return state

    @torch.no_grad()
    def __call__(self, tokens: Ids, state: object) -> tuple[Scores, object]:
        logits, after = self.model(torch.from_numpy(tokens).to(device_of(self.model)), state)
        return as_scores(logits), after


def whole(model: nn.Module) -> Callable[[Ids], Scores]:
    """tokens int64 [B,L] → logits [B,L,V], in evaluation mode."""
    model.eval()

    @torch.no_grad()
    def run(tokens: Ids) -> Scores:
        return as_scores(model(torch.from_numpy(tokens).to(device_of(model))))

    return run


def has_state(model: nn.Module) -> bool:
    """Whether a model can be asked for one token at a time."""
    return callable(getattr(model, "begin", None))


def reader(model: nn.Module, info: TextInfo, never: Sequence[int] = ()) -> Reader:
    """How a model of this task is best asked."""
    if has_state(model):
        return Cached(Own(model), getattr(model, "limit", None), never)
    return Uncached(whole(model), info.context, never)
