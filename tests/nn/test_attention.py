"""Heads are split and joined again; masks let through what they say."""

from __future__ import annotations

import torch

from dlkit.nn.attention import causal_mask, join_heads, masked_softmax, split_heads


def test_heads_are_joined_as_they_were_split() -> None:
    values = torch.randn(2, 5, 12)
    (heads,) = split_heads(values, 3)
    assert heads.shape == (2, 3, 5, 4)
    assert torch.equal(join_heads(heads), values)
    assert torch.equal(heads[1, 2, 3], values[1, 3, 8:])


def test_parts_lie_one_after_the_other() -> None:
    values = torch.randn(2, 5, 24)
    query, value = split_heads(values, 3, parts=2)
    assert torch.equal(join_heads(query), values[..., :12]) and torch.equal(join_heads(value), values[..., 12:])


def test_nobody_sees_what_comes_later() -> None:
    assert causal_mask(2, 4, torch.device("cpu")).tolist() == [[True, True, True, False], [True, True, True, True]]


def test_weights_only_where_the_mask_is_true() -> None:
    weights = masked_softmax(torch.zeros(2, 3), torch.tensor([True, False, True]))
    assert weights.tolist() == [[0.5, 0.0, 0.5]] * 2
