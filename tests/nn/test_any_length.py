"""Recurrent layers, exported for sequences of any length."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim, export

from dlkit.nn.any_length import any_length


class Reads(nn.Module):
    """A layer, and the state that it ends with."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, values: Tensor) -> tuple[Tensor, Any]:
        found: tuple[Tensor, Any] = self.layer(values)
        return found


LAYERS: dict[str, nn.Module] = {
    "lstm": nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True),
    "gru": nn.GRU(3, 4, batch_first=True),
    "tanh": nn.RNN(3, 4, 2, batch_first=True),
    "relu": nn.RNN(3, 4, batch_first=True, nonlinearity="relu", bias=False),
}


@pytest.mark.parametrize("name", LAYERS)
def test_what_was_traced_reads_any_number_of_any_length(name: str) -> None:
    module = Reads(LAYERS[name]).eval()
    sizes = {"values": {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}}
    with any_length():
        program = export(module, (torch.randn(2, 5, 3),), dynamic_shapes=sizes)
    for shape in ((1, 1, 3), (4, 2, 3), (3, 40, 3)):
        values = torch.randn(shape)
        assert_equal(program.module()(values), module(values))


def test_layers_compute_again_afterwards() -> None:
    layer, values = LAYERS["lstm"], torch.randn(2, 5, 3)
    before = layer(values)
    kernels = dict(torch.ops.aten.lstm.input.py_kernels)
    with pytest.raises(RuntimeError, match="an exporter's"), any_length():
        raise RuntimeError("an exporter's")
    assert torch.ops.aten.lstm.input.py_kernels == kernels
    assert_equal(layer(values), before)


def assert_equal(found: object, expected: object) -> None:
    if isinstance(expected, Tensor):
        assert isinstance(found, Tensor)
        assert torch.equal(found, expected)
        return
    assert isinstance(found, (tuple, list))
    assert isinstance(expected, (tuple, list))
    for one, other in zip(found, expected, strict=True):
        assert_equal(one, other)
