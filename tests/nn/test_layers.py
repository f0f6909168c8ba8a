"""Layers have the sizes and the parameter names that checkpoints of the models made of them have."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dlkit.nn.layers import PooledConvolutions, convolution, hidden_layers, in_float32


@pytest.mark.parametrize(("kernel", "stride", "side"), [(3, 1, 9), (5, 2, 5), (3, 2, 5)])
def test_a_convolution_keeps_the_size_but_for_its_stride(kernel: int, stride: int, side: int) -> None:
    layer = convolution(2, 4, kernel, stride)
    assert layer(torch.zeros(1, 2, 9, 9)).shape == (1, 4, side, side)
    assert {name.partition(".")[0] for name in layer.state_dict()} == {"0", "1"}


@pytest.mark.parametrize("pad", [True, False])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_pooled_convolutions_leave_the_side_that_they_say(pad: bool, batch_norm: bool) -> None:
    stack = PooledConvolutions([4, 6], 5, pad, batch_norm, "tanh", "mean")
    layers = nn.Sequential(*stack.layers(3))
    assert layers(torch.zeros(2, 3, 29, 33)).shape == (2, 6, stack.side(29), stack.side(33))
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in layers) == 2 * batch_norm
    assert all((layer.bias is None) == batch_norm for layer in layers if isinstance(layer, nn.Conv2d))


def test_an_image_that_is_too_small_leaves_nothing() -> None:
    assert PooledConvolutions([4, 6], 5, pad=False).side(10) < 1


def test_hidden_layers_in_their_order() -> None:
    layers = hidden_layers(8, [5, 3], "gelu", norm="layer", dropout=0.5)
    kinds = [type(layer).__name__ for layer in layers]
    assert kinds == ["Linear", "LayerNorm", "GELU", "Dropout"] * 2
    assert nn.Sequential(*layers)(torch.zeros(4, 8)).shape == (4, 3)
    assert hidden_layers(8, [], "relu") == []


def test_float32_whatever_the_rest_runs_in() -> None:
    layer = nn.Linear(4, 2)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.zeros(1, 4)).dtype == torch.bfloat16
        assert in_float32(layer, torch.zeros(1, 4, dtype=torch.bfloat16)).dtype == torch.float32
