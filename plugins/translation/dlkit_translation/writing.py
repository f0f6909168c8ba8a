"""Translations, token by token: all sentences of a batch greedily, or one by beam search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dlkit.data.text.pieces import BOS, EOS, PAD
from dlkit.decoding import Beam, Hypothesis, State
from dlkit.stepping import in_numpy
from dlkit_translation.answering import best_of, sentence

__all__ = ["greedy", "most_tokens", "searched", "sentence", "stepping", "without_padding"]

Begin = Callable[[Tensor], State]
Step = Callable[[Tensor, State], tuple[Tensor, State]]


def stepping(model: nn.Module) -> tuple[Begin, Step]:
    """How a model writes: by its own ``begin`` and ``step``, else by ``forward`` over all that is written so far."""
    own: Any = model
    if hasattr(model, "begin") and hasattr(model, "step"):
        return own.begin, own.step

    def begin(source: Tensor) -> State:
        return {"source": source, "written": source.new_empty(len(source), 0)}

    def step(tokens: Tensor, state: State) -> tuple[Tensor, State]:
        written = torch.cat([state["written"], tokens[:, None]], 1)
        return own(state["source"], written)[:, -1], {"source": state["source"], "written": written}

    return begin, step


def most_tokens(source: Tensor, extra: int) -> Tensor:
    """How long translations may become: twice their sentences, int64 [N,S], and ``extra``. int64 [N]."""
    return 2 * (source != PAD).sum(1) + extra


@torch.no_grad()
def greedy(model: nn.Module, source: Tensor, extra: int) -> Tensor:
    """The likeliest token at every place: int64 [N,L], the end token and then padding; ``source`` is int64 [N,S].

    What else is in the batch changes nothing.
    """
    begin, step = stepping(model)
    state, tokens = begin(source), torch.full((len(source),), BOS, device=source.device)
    ended = torch.zeros(len(source), dtype=torch.bool, device=source.device)
    most, written = most_tokens(source, extra), []
    for number in range(1, int(most.max()) + 1):
        logits, state = step(tokens, state)
        tokens = without_padding(logits).argmax(1).masked_fill(ended, PAD)
        written.append(tokens)
        ended = ended | (tokens == EOS) | (most == number)
        if bool(ended.all()):
            break
    return torch.stack(written, 1)


@torch.no_grad()
def searched(model: nn.Module, source: Tensor, beam: int, length_penalty: float, extra: int) -> list[Hypothesis]:
    """The best translations of one sentence, int64 [1,S], the best first."""
    begin, own = stepping(model)
    step = in_numpy(own, source.device)
    return best_of(step, begin(source), Beam(beam, int(most_tokens(source, extra)), EOS, length_penalty))


def without_padding(logits: Tensor) -> Tensor:
    """Padding and the begin token are never written."""
    logits = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits.clone()
    logits[:, [PAD, BOS]] = -torch.inf
    return logits
