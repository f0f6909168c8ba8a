"""Trees of tensors: what models give and carry, and what a run stores (nested dicts, lists and tuples)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from torch import Tensor

T = TypeVar("T")


def map_tensors(change: Callable[[Tensor], Tensor], tree: T) -> T:
    """The same tree, each of its tensors changed; what is not a tensor is kept. Mappings come back as dicts."""
    found: Any = _mapped(change, tree)
    same: T = found
    return same


def _mapped(change: Callable[[Tensor], Tensor], tree: object) -> object:
    if isinstance(tree, Tensor):  # first: most outputs are one tensor, and this is done at every step in bf16
        return change(tree)
    if isinstance(tree, Mapping):
        return {key: _mapped(change, value) for key, value in tree.items()}
    if not isinstance(tree, (list, tuple)):
        return tree
    changed = [_mapped(change, value) for value in tree]
    make: Callable[..., object] = type(tree)
    return make(*changed) if hasattr(tree, "_fields") else make(changed)  # a named tuple takes its fields one by one


def tensors_of(tree: object) -> Iterator[Tensor]:
    """The tree's tensors, in its order."""
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, (Mapping, list, tuple)):
        for value in tree.values() if isinstance(tree, Mapping) else tree:
            yield from tensors_of(value)
