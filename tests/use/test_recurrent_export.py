"""Recurrent layers as ONNX, for any number of sequences of any length."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from dlkit.portable import Graph
from dlkit.use.export.networks import save_onnx

LAYERS: dict[str, nn.RNNBase] = {
    "lstm": nn.LSTM(3, 4, 2, batch_first=True),
    "tanh": nn.RNN(3, 4, 2, batch_first=True, bidirectional=True),
    "relu": nn.RNN(3, 4, nonlinearity="relu", bias=False),
}


class Reads(nn.Module):
    """Outputs and the state at the end."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        outputs, state = self.layer(values if self.layer.batch_first else values.transpose(0, 1).contiguous())
        hidden: Tensor = state[0] if isinstance(state, tuple) else state
        return outputs, hidden


def draw(count: int, sizes: Mapping[str, int], seed: int) -> Mapping[str, Tensor]:
    return {"values": torch.randn(count, sizes["T"], 3, generator=torch.Generator().manual_seed(seed))}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_gives_the_same_at_every_length(name: str, tmp_path: Path) -> None:
    module = Reads(LAYERS[name]).eval()
    graph = Graph("layer", module, {"values": ("N", "T", "3")}, ["outputs", "hidden"], draw, {"T": [6, 4]})
    save_onnx(graph, tmp_path / "layer.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "layer.onnx"))
    assert session.get_inputs()[0].shape == ["N", "T", 3]
    for count, length in ((1, 1), (5, 2), (2, 40)):
        values = draw(count, {"T": length}, count)["values"]
        for found, wanted in zip(session.run(None, {"values": values.numpy()}), module(values), strict=True):
            assert torch.allclose(torch.from_numpy(found), wanted, atol=1e-6)
