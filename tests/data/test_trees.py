"""Trees of tensors: every tensor is changed, and nothing else."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlkit.data.trees import map_tensors, tensors_of


class Pair(NamedTuple):
    first: Any
    second: Any


leaves = st.one_of(st.integers(-9, 9).map(torch.tensor), st.none(), st.text(max_size=2), st.integers())
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.tuples(inner, inner).map(lambda both: Pair(*both)),
        st.dictionaries(st.text(max_size=2), inner, max_size=3),
    ),
    max_leaves=12,
)


def plain(tree: Any) -> Any:
    """Tensors as tagged numbers, so that trees can be compared."""
    if isinstance(tree, Tensor):
        return ("tensor", tree.item())
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [type(tree).__name__, *map(plain, tree)]
    return tree


@given(tree=trees)
@settings(deadline=None)
def test_every_tensor_is_changed_and_nothing_else(tree: Any) -> None:
    before = plain(tree)
    there = map_tensors(lambda tensor: tensor + 1, tree)
    assert plain(tree) == before, "the tree itself stays as it is"
    assert [int(t) for t in tensors_of(there)] == [int(t) + 1 for t in tensors_of(tree)]
    assert plain(map_tensors(lambda tensor: tensor - 1, there)) == before


def test_mappings_come_back_as_dicts_and_named_tuples_as_themselves() -> None:
    found = map_tensors(Tensor.float, OrderedDict(a=Pair(torch.tensor(1), "b")))
    assert type(found) is dict and type(found["a"]) is Pair
    assert found["a"].first.dtype is torch.float32
