"""State as trees: nested dicts and lists of tensors, arrays and JSON values, taken apart for storage without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

LEAF = "$tensor"
ARRAY = "$array"
PAIRS = "$pairs"


def split(tree: Any) -> tuple[Any, dict[str, Tensor]]:
    """A tree as (JSON skeleton, tensors by path). Tensors that are one and the same object are stored once.

    TypeError names the path of anything that is neither tensor, array nor JSON.
    """
    tensors: dict[str, Tensor] = {}
    seen: dict[int, str] = {}

    def take(value: Any, path: str) -> Any:
        if isinstance(value, Tensor):
            if id(value) not in seen:
                seen[id(value)] = path
                tensors[path] = value.detach()
            return {LEAF: seen[id(value)]}
        if isinstance(value, np.ndarray):
            tensors[path] = torch.from_numpy(np.array(value))
            return {ARRAY: path}
        if isinstance(value, Mapping):
            if all(isinstance(key, str) for key in value):
                return {key: take(item, f"{path}.{key}" if path else key) for key, item in value.items()}
            return {PAIRS: [[key, take(item, f"{path}.{key}")] for key, item in value.items()]}
        if isinstance(value, (list, tuple)):
            return [take(item, f"{path}.{i}") for i, item in enumerate(value)]
        if isinstance(value, np.generic):
            return value.item()
        if value is None or isinstance(value, (str, int, float, bool)):
            return value
        raise TypeError(f"{path}: {type(value).__name__} cannot be stored; only tensors, arrays and JSON values can")

    return take(tree, ""), tensors


def join(skeleton: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The inverse of ``split`` (tuples come back as lists)."""
    if isinstance(skeleton, Mapping):
        if LEAF in skeleton:
            return tensors[skeleton[LEAF]]
        if ARRAY in skeleton:
            return tensors[skeleton[ARRAY]].numpy()
        if PAIRS in skeleton:
            return {key: join(item, tensors) for key, item in skeleton[PAIRS]}
        return {key: join(item, tensors) for key, item in skeleton.items()}
    if isinstance(skeleton, list):
        return [join(item, tensors) for item in skeleton]
    return skeleton


def like_parameters(optimizer: torch.optim.Optimizer, saved: Mapping[str, Any]) -> dict[str, Any]:
    """An optimizer's saved state with every tensor laid out in memory like its parameter.

    Storage is contiguous; a channels_last parameter's momentum must be so again, or vectorised kernels take another
    path and round differently.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    numbers = [number for group in saved["param_groups"] for number in group["params"]]
    by_number = dict(zip(numbers, parameters, strict=True))
    state: dict[Any, Any] = {}
    for number, entries in saved["state"].items():
        parameter = by_number[int(number)]
        state[int(number)] = {key: _laid_out(value, parameter) for key, value in entries.items()}
    return {"state": state, "param_groups": saved["param_groups"]}


def _laid_out(value: Any, parameter: Tensor) -> Any:
    if isinstance(value, Tensor) and value.shape == parameter.shape:
        return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
    return value
