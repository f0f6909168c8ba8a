"""State as trees: taken apart for storage and put together again, without pickle."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.torch import load_file, save_file
from torch import Tensor

from dlkit.engine import tree

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
TENSORS = st.builds(
    lambda shape, dtype: torch.ones(shape).to(dtype),
    st.lists(st.integers(0, 3), max_size=3),
    st.sampled_from(DTYPES),
)
ARRAYS = hnp.arrays(st.sampled_from([np.float32, np.int64, np.uint8]), hnp.array_shapes(max_side=3))
KEYS = st.text("ab.$0", max_size=4)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5), TENSORS, ARRAYS
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4),
        st.dictionaries(st.integers(0, 5), inner, max_size=4),
        st.dictionaries(st.sampled_from(["$tensor", "$array", "$pairs", "$float"]), inner, max_size=2),
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and one == other


@given(value=st.dictionaries(KEYS, TREES, max_size=4))
@settings(deadline=None)
def test_a_tree_survives_storage(tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]) -> None:
    skeleton, tensors = tree.split(value)
    path = tmp_path_factory.getbasetemp() / "tensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    text = json.dumps(skeleton, allow_nan=False)
    assert same(value, tree.join(json.loads(text), load_file(path)))


def test_one_tensor_in_two_places_is_stored_once() -> None:
    shared = torch.arange(3)
    skeleton, tensors = tree.split({"a": shared, "b": [shared, shared.clone()]})
    assert len(tensors) == 2
    joined = tree.join(skeleton, tensors)
    assert joined["a"] is joined["b"][0]


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinite_numbers_survive(value: float) -> None:
    skeleton, _ = tree.split({"best": value})
    assert tree.join(json.loads(json.dumps(skeleton, allow_nan=False)), {}) == {"best": value}


def test_nan_survives() -> None:
    skeleton, _ = tree.split([math.nan])
    assert math.isnan(tree.join(json.loads(json.dumps(skeleton, allow_nan=False)), {})[0])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({1, 2}, "set"),
        (b"bytes", "bytes"),
        (Path("x"), "PosixPath"),
        (np.array(["text"]), "ndarray of <U4"),
        (1j, "complex"),
        (torch.Generator(), "Generator"),
    ],
)
def test_what_is_no_json_is_named(value: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=rf"trainer\.memory\.0: {kind} cannot be stored"):
        tree.split({"trainer": {"memory": [value]}})


def test_a_key_that_is_no_json_is_named() -> None:
    with pytest.raises(TypeError, match=r"trainer: a key of type tuple cannot be stored"):
        tree.split({"trainer": {(1, 2): 3}})
