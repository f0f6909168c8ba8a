"""The networks: frozen vectors, nothing seen where there is no word, and what they are sensitive to."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from dlkit.errors import UsageError
from dlkit_embeddings.conjugation.info import ConjugationInfo
from dlkit_embeddings.conjugation.models.perceptrons import SelfAttention, attention, mlp, sinusoids
from dlkit_embeddings.conjugation.models.recurrent import rnn
from dlkit_embeddings.conjugation.options import AttentionConfig, MlpConfig, RnnConfig

BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "mlp": lambda info, **o: mlp(MlpConfig(hidden=[8], **o), info),
    "attention": lambda info, **o: attention(AttentionConfig(hidden=[8], width=8, heads=2, layers=2, **o), info),
    "lstm": lambda info, **o: rnn(RnnConfig(hidden=[8], units=6, layers=2, **o), info),
    "gru": lambda info, **o: rnn(RnnConfig(hidden=[], cell="gru", units=6, **o), info),
    "rnn": lambda info, **o: rnn(RnnConfig(cell="rnn", units=6, **o), info),
    "through": lambda info, **o: rnn(RnnConfig(cell="gru", units=6, reading="through", **o), info),
}


@pytest.fixture
def known(info: Callable[..., ConjugationInfo], vectors: Path) -> ConjugationInfo:
    return info(window=3, embeddings=str(vectors))


def contexts(info: ConjugationInfo, count: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(1, len(info.words), (count, 2 * info.window), generator=generator)


@pytest.mark.parametrize("name", BUILDERS)
def test_logits_depend_on_every_word_and_are_finite_without_any(name: str, known: ConjugationInfo) -> None:
    torch.manual_seed(0)
    model = BUILDERS[name](known).eval()
    context = contexts(known)
    logits = model(context)
    assert logits.shape == (5, 12) and logits.dtype == torch.float32
    for place in range(context.shape[1]):
        changed = context.clone()
        changed[:, place] = context[:, place] % (len(known.words) - 1) + 1
        assert not torch.allclose(model(changed), logits, atol=1e-7), place
    assert model(torch.zeros_like(context)).isfinite().all()


@pytest.mark.parametrize("name", BUILDERS)
def test_rows_do_not_know_of_each_other(name: str, known: ConjugationInfo) -> None:
    model, context = BUILDERS[name](known).eval(), contexts(known)
    context[0, 0] = 0
    assert torch.allclose(model(context)[:1], model(context[:1]), atol=1e-6)


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("freeze", [True, False])
def test_frozen_vectors_stay_as_they_are(name: str, freeze: bool, known: ConjugationInfo) -> None:
    model: Any = BUILDERS[name](known, freeze=freeze)
    before = torch.from_numpy(known.vectors)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1, weight_decay=0.1)
    for _ in range(3):
        model(contexts(known)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    assert torch.equal(model.words.embedding.weight, before) == freeze
    assert torch.equal(model.words.embedding.weight[0], torch.zeros(16))


def test_vectors_come_out_with_a_mean_square_of_one(known: ConjugationInfo) -> None:
    """(C4)."""
    small = known.model_copy(update={"vectors": known.vectors * 1e-3})
    models: list[Any] = [BUILDERS["mlp"](info) for info in (known, small)]
    everything = torch.arange(1, len(known.words))[:, None]
    for model in models:
        assert float(model.words(everything).square().mean()) == pytest.approx(1, rel=1e-5)


def test_without_vectors_they_are_trained(info: Callable[..., ConjugationInfo]) -> None:
    model: Any = mlp(MlpConfig(embedding=5), info())
    assert model.words.embedding.weight.shape == (len(info().words), 5) and model.words.embedding.weight.requires_grad
    assert mlp(MlpConfig(), info()).words.size == 64  # type: ignore[union-attr]


def test_another_size_than_the_vectors_is_refused(known: ConjugationInfo) -> None:
    mlp(MlpConfig(embedding=16), known)
    with pytest.raises(UsageError, match=r"model.embedding = 17: .* have 16 numbers"):
        mlp(MlpConfig(embedding=17), known)


def test_attention_sees_nothing_where_there_is_no_word(known: ConjugationInfo) -> None:
    model: Any = BUILDERS["attention"](known).eval()
    context = contexts(known)
    context[:, 0] = context[:, -1] = 0
    logits = model(context)
    with torch.no_grad():
        model.words.embedding.weight[0] += 3
    assert torch.allclose(model(context), logits, atol=1e-6)


def test_attention_is_the_papers() -> None:
    """(C5) head by head, in float64, with places that are not attended to."""
    torch.manual_seed(0)
    layer = SelfAttention(8, 2, 0.0).double()
    x, seen = torch.randn(3, 5, 8, dtype=torch.float64), torch.rand(3, 5) < 0.6
    seen[:, 2] = True
    query, key, value = layer.project(x).chunk(3, 2)
    heads = []
    for part in (slice(0, 4), slice(4, 8)):
        scores = query[..., part] @ key[..., part].mT / 2
        heads.append(scores.masked_fill(~seen[:, None, :], -math.inf).softmax(2) @ value[..., part])
    expected = layer.norm(x + layer.join(torch.cat(heads, 2)))
    torch.testing.assert_close(layer(x, seen), expected, rtol=0, atol=1e-12)


def test_positions_are_those_of_the_paper() -> None:
    """(C6)."""
    found = sinusoids(50, 6)
    for place in (0, 1, 49):
        for pair in range(3):
            angle = place / 10_000 ** (2 * pair / 6)
            assert found[place, 2 * pair] == pytest.approx(math.sin(angle), abs=1e-6)
            assert found[place, 2 * pair + 1] == pytest.approx(math.cos(angle), abs=1e-6)


def test_both_sides_are_read_towards_the_gap(known: ConjugationInfo) -> None:
    """Where there are no words the networks read zeros first: the same words at the gap's sides, the same states."""
    model: Any = BUILDERS["gru"](known).eval()
    read: list[torch.Tensor] = []
    for side in (model.left, model.right):
        side.register_forward_pre_hook(lambda module, given: read.append(given[0]))
    context = torch.tensor([[0, 2, 3, 4, 5, 0]])
    model(context)
    vectors = model.words(context)[0]
    assert torch.equal(read[0][0], vectors[:3]) and torch.equal(read[1][0], vectors[[5, 4, 3]])


@pytest.mark.parametrize("options", [{"width": 10, "heads": 4}, {"width": 9, "heads": 3}, {"hidden": [4, 0]}])
def test_widths_that_do_not_go_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AttentionConfig(**options)
