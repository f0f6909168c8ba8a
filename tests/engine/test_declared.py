"""What a model says of itself: that it gains from bf16, and which of its matrices are hidden ones."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dlkit.config import EngineConfig
from dlkit.engine.device import Cpu, choose_autocast
from dlkit.engine.supervised import _muon_parameters


class Tied(nn.Module):
    """Logits from the embedding: the last matrix is a hidden one."""

    gains_from_bf16 = True

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 4)

    def hidden_matrices(self) -> list[nn.Parameter]:
        return [self.first.weight, self.last.weight]


@pytest.mark.parametrize("fast", [True, False])
def test_bf16_where_a_model_gains_and_the_hardware_is_fast(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cpu, "multiplies_bf16", lambda self: fast)
    cpu = Cpu()
    inside = nn.Sequential(nn.Linear(2, 2), Tied())
    assert choose_autocast(EngineConfig(), cpu, inside, True) is (torch.bfloat16 if fast else None)
    assert choose_autocast(EngineConfig(), cpu, nn.Linear(2, 2), True) is None
    assert choose_autocast(EngineConfig(precision="float32"), cpu, inside, True) is None


def test_muon_takes_the_matrices_that_a_model_names() -> None:
    model = Tied()
    hidden, rest = _muon_parameters(model, list(model.parameters()))
    assert [id(p) for p in hidden] == [id(model.first.weight), id(model.last.weight)]
    assert {id(p) for p in rest} == {id(model.embedding.weight), id(model.first.bias), id(model.last.bias)}
    plain = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4), nn.Linear(4, 5))
    hidden, rest = _muon_parameters(plain, list(plain.parameters()))
    assert [id(p) for p in hidden] == [id(plain[1].weight)]
