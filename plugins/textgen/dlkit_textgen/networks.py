"""A model of text as the network that it leaves dlkit by: a step that reads any number of tokens after any number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dlkit.answering import Given, RunGraph, Values
from dlkit.decoding import State
from dlkit.errors import UsageError
from dlkit.portable import Graph, Portable, whole_model
from dlkit.stepping import Carried, as_arrays, axes_of_states
from dlkit.task import AnyTask
from dlkit_textgen.answering import NEXT, Stepping
from dlkit_textgen.asking import has_state
from dlkit_textgen.info import TextInfo

_LEAST = 6
"""Tokens that a model holds which can be exported: torch's exporter wants two and more of each kind, all different."""


def portable(task: AnyTask, model: nn.Module, info: TextInfo, known: Given) -> Portable:
    """The step with its cache; of a model without a state, the whole. ``known``: what the answering is told besides."""
    if not has_state(model):
        graph = whole_model(task, model, info)
        return Portable((graph,), {**known, "limit": info.context, "states": None})
    limit = getattr(model, "limit", None)
    if limit is not None and limit < _LEAST:
        raise UsageError(f"dataset.context = {limit}: a model that holds {_LEAST} tokens or more can be exported")
    return _step(model.eval(), info, limit, known)


class Step(nn.Module):
    """token [N,T] and a state's tensors → logits [N,T,vocabulary], and the state's tensors after."""

    def __init__(self, model: nn.Module, carried: Carried) -> None:
        super().__init__()
        self.model: Any = model
        self._carried = carried

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        logits, state = self.model(inputs[0], self._carried.whole(inputs[1:]))
        return logits, *self._carried.flat(state).values()


class Standing(nn.Module):
    """Stands in for the model: token [N,T] → logits [N,T,vocabulary], from a state that has read nothing."""

    def __init__(self, run: RunGraph, first: Mapping[str, Values]) -> None:
        super().__init__()
        self._step = Stepping(run, first)

    def forward(self, token: Tensor) -> Tensor:
        logits, _ = self._step(token.cpu().numpy(), self._step.begin(len(token)))
        return torch.from_numpy(logits)


def _step(module: nn.Module, info: TextInfo, limit: int | None, known: Given) -> Portable:
    model: Any = module

    @torch.no_grad()
    def state(count: int, length: int, seed: int) -> State:
        begun = model.begin(count)
        return model(_tokens(info, count, length, seed), begun)[1] if length else begun

    carried = Carried(state(2, 2, 0))
    named = axes_of_states(state(2, 2, 0), {"N": state(3, 2, 0), "L": state(2, 3, 0)})
    axes = dict(zip(carried.names, named, strict=True))
    most = limit or info.context
    free = {"T": [max(2, most // 2), 1, 2]}
    if any("L" in one for one in named):
        # Of as many as it holds, with those before them.
        free["L"] = [most // 3, most - 1, 0]

    def draw(count: int, sizes: Mapping[str, int], seed: int) -> Mapping[str, Tensor]:
        token = _tokens(info, count, sizes["T"], seed + 1)
        return {"token": token, **carried.flat(state(count, sizes.get("L", 2), seed))}

    made = [NEXT + name for name in carried.names]
    graph = Graph("step", Step(model, carried), {"token": ("N", "T"), **axes}, ["logits", *made], draw, free)
    first = as_arrays(carried.flat(model.begin(1)))
    told = {**known, "limit": limit, "states": carried.names, **first}
    return Portable((graph,), told, lambda run: Standing(run, first))


def _tokens(info: TextInfo, count: int, length: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, info.vocabulary, (count, length), generator=generator)
