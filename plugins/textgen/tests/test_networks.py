"""The step that leaves dlkit: as a program of torch it reads any number of tokens after any, to a full window."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from dlkit.use.export.networks import program_of
from dlkit_textgen.info import TextInfo
from dlkit_textgen.models import recurrent, transformer
from dlkit_textgen.networks import portable
from dlkit_textgen.options import RecurrentConfig, TransformerConfig
from dlkit_textgen.task import TextGeneration


def made(kind: str, info: TextInfo) -> nn.Module:
    if kind == "transformer":
        return transformer.build(TransformerConfig(layers=1, width=8, heads=2), info)
    config = RecurrentConfig(embedding=4, hidden=6, layers=1, attention=True, dropout=0)
    return recurrent.lstm(config, info)


@pytest.mark.parametrize("kind", ["transformer", "lstm with attention"])
def test_a_program_reads_whatever_a_window_holds(kind: str, info: Callable[..., TextInfo]) -> None:
    known = info().model_copy(update={"context": 12})
    torch.manual_seed(0)
    model = made(kind, known)
    nn.init.normal_(model.head.weight)  # type: ignore[arg-type]
    (graph,) = portable(TextGeneration(), model, known, {}).graphs
    program = program_of(graph).module()
    for count, read, before in ((1, 1, 11), (1, 12, 0), (2, 5, 7), (4, 1, 0)):
        inputs = graph.draw(count, {"T": read, "L": before}, 3)
        with torch.no_grad():
            wanted, found = (graph.named(module(*inputs.values())) for module in (graph.module, program))
        for name, value in wanted.items():
            assert torch.allclose(found[name], value, atol=1e-5), (name, read, before)
