"""``cbow``: formula (10), shapes, absent words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from dlkit_embeddings.vectors import stored_vectors
from dlkit_embeddings.word_vectors.cbow import Cbow
from dlkit_embeddings.word_vectors.info import WordsInfo
from dlkit_embeddings.word_vectors.options import CbowConfig

CBOWS: list[dict[str, Any]] = [
    {},
    {"join": "average"},
    {"join": "average", "hidden": []},
    {"hidden": []},
    {"hidden": [12, 9], "dropout": 0.5},
    {"tied": True},
    {"tied": True, "join": "average", "hidden": []},
]


@pytest.mark.parametrize("options", CBOWS)
def test_from_context_to_logits(options: dict[str, Any], info: Callable[..., WordsInfo]) -> None:
    found = info(window=3)
    model = Cbow(CbowConfig(size=8, **options), found).eval()
    context = torch.tensor([[1, 2, 3, 4, 5, 6], [1, 2, -1, -1, -1, -1]])
    logits = model(context)
    assert logits.shape == (2, len(found.words)) and logits.isfinite().all()
    logits.square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    words, vectors = stored_vectors(model, found)
    assert words == found.words and vectors.shape == (len(words), 8) and vectors.dtype == np.float32


def test_an_average_is_of_the_words_that_are_there(info: Callable[..., WordsInfo]) -> None:
    model = Cbow(CbowConfig(size=8, join="average"), info(window=2)).eval()
    whole, part = model(torch.tensor([[1, 1, 1, 1]])), model(torch.tensor([[-1, 1, -1, -1]]))
    assert torch.allclose(whole, part, atol=1e-6)
    swapped = model(torch.tensor([[1, 2, 3, 4]])), model(torch.tensor([[4, 3, 2, 1]]))
    assert torch.allclose(*swapped, atol=1e-6)


def test_logits_are_the_formulas(info: Callable[..., WordsInfo]) -> None:
    """(10), with and without a hidden layer."""
    found = info(window=1)
    context = torch.tensor([[1, 2], [3, 4]])
    flat = Cbow(CbowConfig(size=8, join="average", hidden=[]), found).double()
    assert flat.head is not None
    mean = (flat.embedding.weight[[1, 3]] + flat.embedding.weight[[2, 4]]) / 2
    assert torch.allclose(flat(context), mean @ flat.head.weight.T + flat.bias, atol=1e-12)
    deep = Cbow(CbowConfig(size=8, hidden=[5]), found).double()
    joined = torch.cat([deep.embedding.weight[[1, 3]], deep.embedding.weight[[2, 4]]], 1)
    hidden: Any = deep.perceptron[1]
    h = torch.relu(joined @ hidden.weight.T + hidden.bias)
    assert deep.head is not None and torch.allclose(deep(context), h @ deep.head.weight.T + deep.bias, atol=1e-12)


def test_tied_logits_are_products_with_the_embedding(info: Callable[..., WordsInfo]) -> None:
    model = Cbow(CbowConfig(size=8, tied=True), info(window=1)).eval()
    h = model.perceptron(model.embedding.weight[[1, 2]].reshape(1, -1))
    assert torch.allclose(model(torch.tensor([[1, 2]])), h @ model.vectors().T + model.bias, atol=1e-6)
