"""What writes token by token, from torch to NumPy, and the state that it carries as tensors by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.data.trees import map_tensors, tensors_of
from dlkit.decoding import Ids, Scores, State, Step

T = TypeVar("T")


def in_numpy(step: Callable[[Tensor, State], tuple[Tensor, State]], device: torch.device) -> Step:
    """A step in torch as ``dlkit.decoding`` asks for it: tokens and logits on the host, the state where it is."""

    @torch.no_grad()
    def run(tokens: Ids, state: State) -> tuple[Scores, State]:
        logits, after = step(torch.from_numpy(tokens).to(device), state)
        return as_scores(logits), after

    return run


def as_scores(logits: Tensor) -> Scores:
    """Logits on the host; of 16 bits as float32."""
    found: Scores = (logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits).cpu().numpy()
    return found


def device_of(model: nn.Module) -> torch.device:
    """Where a model's parameters are; the CPU of one that has none."""
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


class Carried:
    """A state's tensors by name, as an exported network takes and gives them; ``like`` is one, for its form."""

    def __init__(self, like: State) -> None:
        self._like = like
        self.names = [f"state_{number}" for number, _ in zip(count(), tensors_of(like), strict=False)]

    def flat(self, state: State) -> dict[str, Tensor]:
        """Contiguous, as ONNX has them."""
        return dict(zip(self.names, map(Tensor.contiguous, tensors_of(state)), strict=True))

    def whole(self, tensors: Sequence[Tensor]) -> State:
        """The state of these tensors."""
        waiting = iter(tensors)
        return map_tensors(lambda _: next(waiting), self._like)

    def changed(self, after: State) -> list[str]:
        """Which of them a step from ``like`` to ``after`` made anew; others pass through."""
        pairs = zip(self.names, tensors_of(self._like), tensors_of(after), strict=True)
        return [name for name, one, other in pairs if one is not other]


def axes_of_states(usual: State, grown: Mapping[str, State]) -> list[tuple[str, ...]]:
    """The axes of a state's tensors by name: ``grown`` are states in whose making the named axis alone was larger.
    Other axes have their size for a name."""
    named: list[tuple[str, ...]] = []
    others = {name: list(tensors_of(state)) for name, state in grown.items()}
    for place, tensor in enumerate(tensors_of(usual)):
        axes = [str(size) for size in tensor.shape]
        for name, tensors in others.items():
            for axis, (before, now) in enumerate(zip(tensor.shape, tensors[place].shape, strict=True)):
                if before != now:
                    axes[axis] = name
        named.append(tuple(axes))
    return named


def as_arrays(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """On the host."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
