"""Models: causal, of the declared shape, and the same token by token as all at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor, nn

from dlkit.data.weights import restoring
from dlkit.decoding import Beam, Drawing
from dlkit.engine.device import Cpu, choose_autocast
from dlkit.engine.supervised import _muon_parameters
from dlkit.errors import DataError, UsageError
from dlkit_textgen.asking import Own, reader, whole
from dlkit_textgen.info import TextInfo
from dlkit_textgen.models import recurrent
from dlkit_textgen.models.transformer import Transformer
from dlkit_textgen.next_token import Cached, Uncached, window_start
from dlkit_textgen.options import RecurrentConfig, TransformerConfig

VOCABULARY = 7
KINDS = ("transformer", "lstm", "gru", "lstm-attention")


def make(kind: str, context: int = 6, seed: int = 0, dtype: torch.dtype = torch.float64) -> nn.Module:
    torch.manual_seed(seed)
    if kind == "transformer":
        model: nn.Module = Transformer(TransformerConfig(layers=2, width=16, heads=2), VOCABULARY, context)
    else:
        config = RecurrentConfig(embedding=5, hidden=8, layers=2, attention=kind.endswith("attention"))
        info = type("Info", (), {"vocabulary": VOCABULARY, "context": context})
        model = recurrent.Recurrent("gru" if kind == "gru" else "lstm", config, info)
    for parameter in model.parameters():  # nothing at zero, and far from indifferent
        nn.init.normal_(parameter, std=0.5)
    return model.to(dtype).eval()


def tokens(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(VOCABULARY, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_logits_look_back_only(kind: str) -> None:
    model, token = make(kind), tokens(3, 6)
    logits = model(token)
    assert logits.shape == (3, 6, VOCABULARY)
    changed = token.clone()
    changed[:, 4] = (changed[:, 4] + 1) % VOCABULARY
    again = model(changed)
    assert torch.equal(again[:, :4], logits[:, :4])
    assert not torch.allclose(again[:, 4], logits[:, 4]) and not torch.allclose(again[:, 5], logits[:, 5])


@pytest.mark.parametrize("kind", KINDS)
@given(cuts=st.lists(st.integers(1, 5), max_size=3), seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_read_in_parts_is_read_as_a_whole(kind: str, cuts: list[int], seed: int) -> None:
    model, token = make(kind, context=6, seed=seed), tokens(2, 6, seed=seed)
    bounds = sorted({0, *cuts, 6})
    state, parts = model.begin(2), []  # type: ignore[operator]
    for first, last in itertools.pairwise(bounds):
        logits, state = model(token[:, first:last], state)
        parts.append(logits)
    assert torch.allclose(torch.cat(parts, 1), model(token), atol=1e-11)


def test_attention_reaches_as_far_back_as_it_says() -> None:
    """Of the outputs before, the last ``length`` count, whether they came with a state or in the same call."""
    past = recurrent.Past(4, 3).double()
    x = torch.randn(1, 8, 4, dtype=torch.float64, requires_grad=True)
    empty = torch.zeros(1, 3, 4, dtype=torch.float64), torch.zeros(1, 3, dtype=torch.bool)
    out, _, _ = past(x, *empty)
    (gradient,) = torch.autograd.grad(out[0, 6].sum(), x)
    assert gradient[0].abs().sum(1).gt(0).tolist() == [False] * 3 + [True] * 4 + [False]


@pytest.mark.parametrize("limit", [2, 3, 5, 8, None])
def test_windows_begin_where_a_full_one_is_read_anew(limit: int | None) -> None:
    starts = [window_start(place, limit) for place in range(40)]
    if limit is None:
        assert starts == [0] * 40
        return
    held = [place - start + 1 for place, start in enumerate(starts)]
    assert max(held) == limit and held[:limit] == list(range(1, limit + 1))
    for before, now in zip(held[limit - 1 :], held[limit:], strict=False):
        assert now == (limit // 2 + 1 if before == limit else before + 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@given(length=st.integers(1, 20), seed=st.integers(0, 1000), rows=st.integers(1, 3))
@settings(max_examples=6, deadline=None)
def test_cached_decoding_is_uncached_decoding(kind: str, dtype: torch.dtype, length: int, seed: int, rows: int) -> None:
    """The same tokens from the same draws, for prompts and continuations far beyond the context."""
    model, prompt = make(kind, context=6, seed=seed, dtype=dtype), tokens(rows, length, seed=seed).numpy()
    limit, found = getattr(model, "limit", None), []
    for reading in (Cached(Own(model), limit), Uncached(whole(model), limit)):
        state, chance, written, logits = reading.read(prompt[:, :-1]), np.random.default_rng(seed), prompt, []
        for _ in range(20):
            scores, state = reading(written[:, -1], state)
            token = Drawing(temperature=0.9, top_k=5, repetition=1.1)(scores, written, chance)
            written = np.concatenate((written, token[:, None]), 1)
            logits.append(scores)
        found.append((written, np.stack(logits)))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.allclose(found[0][1], found[1][1], atol=1e-10 if dtype is torch.float64 else 1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_beam_over_a_cache_finds_what_one_without_finds(kind: str) -> None:
    model, prompt = make(kind, context=6), tokens(1, 4).numpy()
    limit = getattr(model, "limit", None)
    beams = [
        Beam(width=4, most=12)(reading, int(prompt[0, -1]), reading.read(prompt[:, :-1]))
        for reading in (Cached(Own(model), limit), Uncached(whole(model), limit))
    ]
    assert [h.tokens for h in beams[0]] == [h.tokens for h in beams[1]]
    assert [h.score for h in beams[0]] == pytest.approx([h.score for h in beams[1]], abs=1e-9)


def test_any_module_of_the_contract_is_read_without_a_state() -> None:
    class Bigram(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(VOCABULARY, VOCABULARY)

        def forward(self, token: Tensor) -> Any:
            return self.table(token)

    model = Bigram()
    info = type("Info", (), {"context": 6})
    reading = reader(model, info, never=[2])
    logits, _ = reading(np.array([3]), reading.read(np.array([[1]])))
    assert isinstance(reading, Uncached)
    expected = model.table.weight.detach()[3].clone()
    expected[2] = -torch.inf
    assert logits[0].tolist() == expected.tolist()


def test_heads_must_share_the_width() -> None:
    with pytest.raises(ValidationError, match="multiple of 2 × heads = 8; 12 is not"):
        TransformerConfig(width=12, heads=4)


def test_tied_weights_are_one_and_muon_gets_the_hidden_ones() -> None:
    model = Transformer(TransformerConfig(layers=2, width=16, heads=2), VOCABULARY, 6)
    assert model.head.weight is model.embedding.weight
    hidden, rest = _muon_parameters(model, list(model.parameters()))
    assert len(hidden) == 8 and all(p.dim() == 2 for p in hidden)
    assert any(p is model.embedding.weight for p in rest) and len(hidden) + len(rest) == len(list(model.parameters()))
    loose = Transformer(TransformerConfig(layers=2, width=16, heads=2, tied=False), VOCABULARY, 6)
    assert loose.head.weight is not loose.embedding.weight


def test_a_transformer_asks_for_bf16_where_that_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    from dlkit.config import EngineConfig

    monkeypatch.setattr(Cpu, "multiplies_bf16", lambda self: True)
    cpu, engine = Cpu(), EngineConfig()
    assert choose_autocast(engine, cpu, make("transformer"), lowers=True) is torch.bfloat16
    assert choose_autocast(engine, cpu, make("lstm"), lowers=True) is None


@pytest.mark.parametrize("kind", KINDS)
def test_bf16_trains(kind: str) -> None:
    model, token = make(kind, dtype=torch.float32), tokens(2, 6)
    with torch.autocast("cpu", torch.bfloat16):
        logits, _ = model(token, model.begin(2))  # type: ignore[operator]
    logits.float().sum().backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def word_vectors(path: Path, text: str) -> RecurrentConfig:
    path.write_text(text)
    return RecurrentConfig(embedding=3, hidden=4, embeddings=str(path), freeze_embeddings=True)


def test_word_vectors_are_put_in_and_not_asked_for_again(info: Callable[..., TextInfo], tmp_path: Path) -> None:
    path, words = tmp_path / "vectors.txt", info(tokens="words")
    config = word_vectors(path, "3 3\ncat 1 2 3\nrat -1 0.5 2e-1\nzebra 7 7 7\n")
    model: Any = recurrent.lstm(config, words)
    number = {token: i for i, token in enumerate(words.tokenizer.tokens)}
    assert model.embedding.weight[number["cat"]].tolist() == [1, 2, 3]
    assert model.embedding.weight[number["rat"]].tolist() == pytest.approx([-1, 0.5, 0.2])
    assert not model.embedding.weight.requires_grad
    path.unlink()
    with restoring():
        recurrent.gru(config, words)
    with pytest.raises(DataError, match=r"vectors\.txt"):
        recurrent.gru(config, words)


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("", DataError, "line 1"),
        ("cat 1 2 3\n", DataError, "line 1: must be the number of words"),
        ("1 4\ncat 1 2 3 4\n", UsageError, "model.embedding = 3: the vectors of .* have 4 numbers"),
        ("2 3\ncat 1 2 3\nrat 1 2\n", DataError, "line 3: 2 numbers after 'rat', not 3"),
        ("1 3\ncat 1 b 3\n", DataError, "line 2: could not convert"),
        ("1 3\nzebra 1 2 3\n", DataError, "none of the text's"),
    ],
)
def test_word_vectors_that_do_not_fit_are_named(
    text: str, error: type[Exception], match: str, info: Callable[..., TextInfo], tmp_path: Path
) -> None:
    with pytest.raises(error, match=match):
        recurrent.lstm(word_vectors(tmp_path / "vectors.txt", text), info(tokens="words"))


def test_word_vectors_need_words(info: Callable[..., TextInfo], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'characters', not 'words'"):
        recurrent.lstm(word_vectors(tmp_path / "vectors.txt", "1 3\ncat 1 2 3\n"), info())
