"""What optimizers remember, handed on to others of the same parameters: a fork's, whose options are other ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

_Place = tuple[type[torch.optim.Optimizer], int, torch.Size]


def hand_memory_on(before: Sequence[torch.optim.Optimizer], now: Sequence[torch.optim.Optimizer]) -> None:
    """Each parameter's memory from the rule that it had to the one that it has, where both are of one kind.

    Groups may be others: a weight decay that begins divides matrices from vectors. So parameters are told by where they
    lie, as those that share their memory with a view (FlatMuon's) can be told by nothing else.
    """
    kept: dict[_Place, Any] = {}
    for optimizer in before:
        kept |= {_place(optimizer, parameter): memory for parameter, memory in optimizer.state.items()}
    for optimizer in now:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                memory = kept.get(_place(optimizer, parameter))
                if memory is not None:
                    optimizer.state[parameter] = memory


def _place(optimizer: torch.optim.Optimizer, parameter: Tensor) -> _Place:
    return type(optimizer), parameter.data_ptr(), parameter.shape
