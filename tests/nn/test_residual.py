"""A residual block adds what its layers make; its parameters are named as its layers are."""

from __future__ import annotations

import torch
from torch import nn

from dlkit.nn.residual import Residual


def test_the_way_straight_through() -> None:
    block = Residual({"first": nn.Linear(3, 3), "second": nn.Linear(3, 3)})
    nn.init.zeros_(block.second.weight)  # type: ignore[arg-type]
    nn.init.constant_(block.second.bias, 2.0)  # type: ignore[arg-type]
    x = torch.randn(4, 3)
    torch.testing.assert_close(block(x), x + 2)
    assert list(block.state_dict()) == ["first.weight", "first.bias", "second.weight", "second.bias"]


def test_something_after_the_sum() -> None:
    block = Residual({"body": nn.Identity()}, after=torch.relu)
    assert block(torch.tensor([-1.0, 2.0])).tolist() == [0.0, 4.0]
