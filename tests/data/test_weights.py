"""Weights out of a user's file: read once, when a run begins, and named when they do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dlkit.data.weights import fill, read_weights, restoring
from dlkit.errors import DataError


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


def test_weights_come_in_full_precision_and_fill_a_module(tmp_path: Path) -> None:
    source = network()
    path = tmp_path / "w.safetensors"
    state = {name: tensor.half() for name, tensor in source.state_dict().items() if "batches" not in name}
    save_file({**state, "more": torch.zeros(1)}, path)
    weights = read_weights(path)
    assert weights is not None and all(tensor.dtype == torch.float32 for tensor in weights.values())
    target = network()
    fill(target, weights, path)
    for name, tensor in target.state_dict().items():
        torch.testing.assert_close(tensor.float(), source.state_dict()[name].float(), atol=1e-3, rtol=1e-3)


def test_no_file_is_read_while_a_model_is_restored(tmp_path: Path) -> None:
    with restoring():
        assert read_weights(tmp_path / "absent.safetensors") is None
        with restoring():
            pass
        assert read_weights(tmp_path / "absent.safetensors") is None
    with pytest.raises(DataError, match=r"absent\.safetensors: not a readable"):
        read_weights(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("content", [b"", b"text that is no safetensors file", b"\x80\x04pickle"])
def test_other_files_are_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(DataError, match=r"w\.safetensors: not a readable \.safetensors file"):
        read_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize("change", [{"0.weight": torch.zeros(2, 1, 5, 5)}, {"0.weight": None}])
def test_weights_of_another_network_are_refused(change: dict[str, torch.Tensor | None]) -> None:
    state = {**network().state_dict(), **change}
    weights = {name: tensor for name, tensor in state.items() if tensor is not None}
    with pytest.raises(DataError, match=r"x: holds the weights of another network: no 0\.weight of that shape"):
        fill(network(), weights, Path("x"))
