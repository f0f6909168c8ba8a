"""State as trees: nested dicts and lists of tensors, arrays and JSON values, taken apart for storage without pickle."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load, save
from torch import Tensor

from dlkit.json_types import Json, JsonObject

LEAF = "$tensor"
ARRAY = "$array"
PAIRS = "$pairs"
FLOAT = "$float"
_LIKE_PARAMETERS = frozenset({"exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "square_avg"})
"""What torch's optimizers keep in their parameters' shape; others may do otherwise."""
_MARKS = frozenset({LEAF, ARRAY, PAIRS, FLOAT})


def split(tree: object) -> tuple[Json, dict[str, Tensor]]:
    """A tree as (JSON skeleton, tensors by path). Tensors that are one and the same object are stored once.

    TypeError names the path of anything that is neither tensor, array nor JSON (NaN and infinity count as numbers).
    """
    taker = _Taker()
    return taker.take(tree, ""), taker.tensors


class _Taker:
    """Walks a tree and collects its tensors."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._paths: dict[int, str] = {}

    def take(self, value: object, path: str) -> Json:
        if isinstance(value, Tensor):
            if id(value) not in self._paths:  # the tree holds the tensor, so that no other can have its id meanwhile
                self._paths[id(value)] = self._store(value.detach(), path)
            return {LEAF: self._paths[id(value)]}
        if isinstance(value, np.ndarray):
            return {ARRAY: self._store(_as_tensor(value, path), path)}
        if isinstance(value, Mapping):
            return self._mapping(value, path)
        if isinstance(value, (list, tuple)):
            return [self.take(item, f"{path}.{i}") for i, item in enumerate(value)]
        if isinstance(value, np.generic):
            return self.take(value.item(), path)
        if isinstance(value, float) and not math.isfinite(value):
            return {FLOAT: str(value)}  # strict JSON has no word for it
        if value is None or isinstance(value, (str, int, float, bool)):
            return value
        raise TypeError(f"{path}: {type(value).__name__} cannot be stored; only tensors, arrays and JSON values can")

    def _mapping(self, value: Mapping[object, object], path: str) -> Json:
        wrong = next((key for key in value if not isinstance(key, (str, int, float, bool, type(None)))), None)
        if wrong is not None:
            raise TypeError(f"{path}: a key of type {type(wrong).__name__} cannot be stored; only JSON values can")
        inside = f"{path}." if path else ""
        taken: list[tuple[Any, Json]] = [(key, self.take(item, f"{inside}{key}")) for key, item in value.items()]
        if all(isinstance(key, str) for key in value) and _MARKS.isdisjoint(value):
            return dict(taken)
        # JSON would make text of an optimizer's numbers, and a mark among the keys would be read as one.
        return {PAIRS: [[key, item] for key, item in taken]}

    def _store(self, tensor: Tensor, path: str) -> str:
        while path in self.tensors:  # {"a.b": …, "a": {"b": …}}
            path += "'"
        self.tensors[path] = tensor
        return path


def _as_tensor(value: npt.NDArray[np.generic], path: str) -> Tensor:
    try:
        return torch.from_numpy(np.array(value))
    except TypeError as error:
        raise TypeError(f"{path}: ndarray of {value.dtype.str} cannot be stored; only numbers can") from error


def join(skeleton: Json, tensors: Mapping[str, Tensor]) -> Any:
    """The inverse of ``split`` (tuples come back as lists)."""
    if isinstance(skeleton, dict):
        return _joined(skeleton, tensors)
    if isinstance(skeleton, list):
        return [join(item, tensors) for item in skeleton]
    return skeleton


def _joined(skeleton: JsonObject, tensors: Mapping[str, Tensor]) -> object:
    match skeleton:
        case {"$tensor": str(path)}:
            return tensors[path]
        case {"$array": str(path)}:
            return tensors[path].numpy()
        case {"$float": str(text)}:
            return float(text)
        case {"$pairs": list()}:
            pairs: Any = skeleton[PAIRS]
            return {key: join(item, tensors) for key, item in pairs}
    return {key: join(item, tensors) for key, item in skeleton.items()}


def like_parameters(optimizer: torch.optim.Optimizer, saved: Mapping[str, Any]) -> dict[str, object]:
    """An optimizer's saved state with every tensor laid out in memory like its parameter.

    Storage is contiguous; a channels_last parameter's momentum must be so again, or vectorised kernels choose another
    path and round differently.
    """
    for group, stored in zip(optimizer.param_groups, saved["param_groups"], strict=True):
        _check_group(group, stored)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    numbers = [number for group in saved["param_groups"] for number in group["params"]]
    by_number = dict(zip(numbers, parameters, strict=True))
    state: dict[int, dict[str, object]] = {}
    for number, entries in saved["state"].items():
        parameter = by_number[int(number)]
        state[int(number)] = {key: _laid_out(key, value, parameter) for key, value in entries.items()}
    return {"state": state, "param_groups": saved["param_groups"]}


def _check_group(group: Mapping[str, object], saved: Mapping[str, object]) -> None:
    """ValueError for an option that is no number where one is: it would fail the first step, as nobody's fault."""
    for key, value in group.items():
        if isinstance(value, float) and not isinstance(saved.get(key, value), (int, float, Tensor)):
            raise ValueError(f"the optimizer's {key} is {saved[key]!r:.40}, not a number")


def _laid_out(key: str, value: object, parameter: Tensor) -> object:
    of_its_form = isinstance(value, Tensor) and value.shape == parameter.shape and value.is_floating_point()
    if key in _LIKE_PARAMETERS and value is not None and not of_its_form:
        raise ValueError(f"the optimizer's {key} is not of the form of its parameter, {list(parameter.shape)}")
    if isinstance(value, Tensor) and value.shape == parameter.shape:
        return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
    return value  # a count of steps, say


def to_bytes(tree: object) -> bytes:
    """A tree as bytes, for other processes of the same run."""
    skeleton, tensors = split(tree)
    text = json.dumps(skeleton, allow_nan=False).encode()
    # Not pickle: what comes from another process is data, whoever wrote it.
    return len(text).to_bytes(8, "little") + text + save(tensors)


def from_bytes(data: bytes) -> Any:
    """The tree of ``to_bytes``."""
    end = 8 + int.from_bytes(data[:8], "little")
    return join(json.loads(data[8:end]), load(data[end:]))
