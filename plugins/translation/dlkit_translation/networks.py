"""A translation model as the networks that it leaves dlkit by: an encoder, and a step of the decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dlkit.answering import RunGraph
from dlkit.data.text.pieces import BOS
from dlkit.decoding import State
from dlkit.portable import Graph, lengths, whole_model
from dlkit.stepping import Carried, axes_of_states
from dlkit.task import AnyTask
from dlkit_translation.answering import NEXT, Networks
from dlkit_translation.info import TranslationInfo

_READ, _WRITTEN = 12, 5
"""Tokens of a source, and written ones, in what networks are exported with."""


def carries(model: nn.Module) -> bool:
    """Whether it writes with a state of its own."""
    return callable(getattr(model, "begin", None)) and callable(getattr(model, "step", None))


def graphs_of(task: AnyTask, model: nn.Module, info: TranslationInfo) -> Sequence[Graph]:
    """``encoder`` and ``step``; of a model that has none, the whole."""
    return _Parts(model.eval(), info).graphs() if carries(model) else (whole_model(task, model, info),)


class Encoder(nn.Module):
    """source [N,S] → logits [N,tokens] of the first token, and the state after it was asked for."""

    def __init__(self, model: nn.Module, carried: Carried) -> None:
        super().__init__()
        self.model: Any = model
        self._carried = carried

    def forward(self, source: Tensor) -> tuple[Tensor, ...]:
        logits, state = self.model.step(source.new_full((source.shape[0],), BOS), self.model.begin(source))
        return logits, *self._carried.flat(state).values()


class Decoder(nn.Module):
    """token [N] and a state's tensors → logits [N,tokens] of the next, and what became of the ``changed`` ones."""

    def __init__(self, model: nn.Module, carried: Carried, changed: Sequence[str]) -> None:
        super().__init__()
        self.model: Any = model
        self._carried, self._changed = carried, changed

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        logits, state = self.model.step(inputs[0], self._carried.whole(inputs[1:]))
        after = self._carried.flat(state)
        return logits, *(after[name] for name in self._changed)


class _Parts:
    """Tries a model, to see what it carries and which axes of that grow."""

    def __init__(self, model: nn.Module, info: TranslationInfo) -> None:
        self._model: Any = model
        self._info = info

    def graphs(self) -> tuple[Graph, Graph]:
        usual = self._state(3, 7, 2, 0)
        grown = {"N": self._state(4, 7, 2, 0), "S": self._state(3, 8, 2, 0), "L": self._state(3, 7, 3, 0)}
        carried = Carried(usual)
        with torch.no_grad():
            changed = carried.changed(self._model.step(self._tokens(3, 1, 0)[:, 0], usual)[1])
        axes = dict(zip(carried.names, axes_of_states(usual, grown), strict=True))
        free = {axis for named in axes.values() for axis in named} & {"S", "L"}
        made = [NEXT + name for name in carried.names]
        encoder = Graph(
            "encoder", Encoder(self._model, carried), {"source": ("N", "S")}, ["logits", *made],
            lambda count, sizes, seed: {"source": self._tokens(count, sizes["S"], seed)}, {"S": lengths(_READ)},
        )  # fmt: skip
        tried = {"S": lengths(_READ), "L": lengths(_WRITTEN)}

        def draw(count: int, sizes: Mapping[str, int], seed: int) -> Mapping[str, Tensor]:
            state = self._state(count, sizes.get("S", _READ), sizes.get("L", _WRITTEN), seed)
            return {"token": self._tokens(count, 1, seed + 1)[:, 0], **carried.flat(state)}

        step = Graph(
            "step", Decoder(self._model, carried, changed), {"token": ("N",), **axes},
            ["logits", *(NEXT + name for name in changed)], draw, {axis: tried[axis] for axis in sorted(free)},
        )  # fmt: skip
        return encoder, step

    @torch.no_grad()
    def _state(self, count: int, read: int, written: int, seed: int) -> State:
        """After so many sources of so many tokens were read, and so many tokens written."""
        state = self._model.begin(self._tokens(count, read, seed))
        for tokens in self._tokens(count, written, seed + 1).T:
            state = self._model.step(tokens, state)[1]
        return state

    def _tokens(self, count: int, length: int, seed: int) -> Tensor:
        """Of neither language any that is special."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randint(BOS + 2, min(self._info.sizes), (count, length), generator=generator)


class Standing(nn.Module):
    """Stands in for the model: all tokens but the last are given it (``forward``), or it writes (``begin``,
    ``step``)."""

    def __init__(self, run: RunGraph, *, carries: bool) -> None:
        super().__init__()
        self._step = Networks(run, carries=carries)

    def forward(self, source: Tensor, previous: Tensor) -> Tensor:
        state, found = self.begin(source), []
        for tokens in previous.T:
            logits, state = self.step(tokens, state)
            found.append(logits)
        return torch.stack(found, 1)

    def begin(self, source: Tensor) -> State:
        return {"source": source.cpu().numpy()}

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        logits, after = self._step(tokens.cpu().numpy(), state)
        return torch.from_numpy(logits), after
