"""The networks: their contract, padding that changes nothing, caches that change nothing, beams that find all."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor, nn

from dlkit.data.splits import Data
from dlkit.data.text.pieces import BOS, EOS, PAD
from dlkit.decoding import Beam
from dlkit.errors import UsageError
from dlkit.stepping import in_numpy
from dlkit_translation.info import TranslationInfo
from dlkit_translation.models import recurrent, transformer
from dlkit_translation.options import RecurrentConfig, TransformerConfig
from dlkit_translation.writing import greedy, searched, stepping, without_padding

KINDS = ["transformer", "gru luong", "lstm luong", "gru bahdanau", "lstm bahdanau"]
Made = Callable[..., nn.Module]


class Bare(nn.Module):
    """The same network without ``begin`` and ``step``: it has to compute everything again."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, source: Tensor, previous: Tensor) -> Tensor:
        logits: Tensor = self.inner(source, previous)
        return logits


def some(data: Data, count: int = 4) -> dict[str, Tensor]:
    return data.val.take(torch.arange(count))


@pytest.mark.parametrize("kind", KINDS)
def test_logits_for_every_target_token_and_gradients_for_every_weight(kind: str, made: Made, data: Data) -> None:
    model, batch = made(kind, dropout=0.1).train(), some(data)
    logits = model(batch["source"], batch["previous"])
    assert logits.shape == (*batch["target"].shape, 400) and logits.dtype == torch.float32
    nn.functional.cross_entropy(logits.flatten(0, 1), batch["target"].flatten(), ignore_index=PAD).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(kind: str, made: Made, data: Data) -> None:
    model, batch = made(kind).double(), some(data)
    together = model(batch["source"], batch["previous"])
    for row in range(len(together)):
        source = batch["source"][row][batch["source"][row] != PAD][None]
        previous = batch["previous"][row][: int((batch["target"][row] != PAD).sum())][None]
        alone = model(source, previous)[0]
        assert torch.allclose(alone, together[row, : len(alone)], atol=1e-10)
        longer = model(nn.functional.pad(source, (0, 5)), previous)[0]
        assert torch.allclose(longer, alone, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_is_not_seen(kind: str, made: Made, data: Data) -> None:
    model, batch = made(kind).double(), some(data)
    changed = batch["previous"].clone()
    changed[:, 4:] = 7
    before, after = (model(batch["source"], previous) for previous in (batch["previous"], changed))
    assert torch.allclose(before[:, :4], after[:, :4], atol=1e-12)
    assert not torch.allclose(before[:, 4:], after[:, 4:], atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_cached_steps_give_what_the_whole_gives(kind: str, made: Made, data: Data) -> None:
    model, batch = made(kind).double(), some(data)
    whole = model(batch["source"], batch["previous"])
    begin, step = stepping(model)
    state = begin(batch["source"])
    for place in range(batch["previous"].shape[1]):
        logits, state = step(batch["previous"][:, place], state)
        assert torch.allclose(logits, whole[:, place], atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beam", [1, 3])
def test_cached_writing_equals_uncached(kind: str, beam: int, made: Made, data: Data) -> None:
    model, source = made(kind).double(), some(data, 3)["source"]
    if beam == 1:
        assert torch.equal(greedy(model, source, 5), greedy(Bare(model), source, 5))
        return
    for row in source:
        kept = row[row != PAD][None]
        found, again = (searched(m, kept, beam, 0.6, 2) for m in (model, Bare(model)))
        assert [h.tokens for h in found] == [h.tokens for h in again]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_is_translated_as_in_company(kind: str, made: Made, data: Data) -> None:
    model, source = made(kind).double(), some(data)["source"]
    together = greedy(model, source, 3)
    for row, written in zip(source, together, strict=True):
        alone = greedy(model, row[row != PAD][None], 3)[0]
        count = min(len(alone), len(written))
        assert torch.equal(alone[:count], written[:count])


@pytest.mark.parametrize("kind", KINDS)
def test_attention_is_shared_out_over_the_sentence(kind: str, made: Made, data: Data) -> None:
    model, batch = made(kind), some(data)
    with torch.no_grad():
        weights = model.attend(batch["source"], batch["previous"])  # type: ignore[operator]
    assert weights.shape == (*batch["previous"].shape, batch["source"].shape[1])
    assert torch.allclose(weights.sum(2), torch.ones(()), atol=1e-5)
    assert float(weights.masked_select((batch["source"] == PAD)[:, None].expand_as(weights)).abs().sum()) == 0


@pytest.mark.parametrize("kind", ["transformer", "gru luong", "lstm bahdanau"])
@given(seed=st.integers(0, 1000), penalty=st.sampled_from([0.0, 0.6, 1.5]))
@settings(max_examples=5, deadline=None)
def test_a_wide_beam_finds_what_looking_at_everything_finds(kind: str, seed: int, penalty: float) -> None:
    """On six tokens, of which three can be written, and translations of up to three."""
    torch.manual_seed(seed)
    info = SimpleNamespace(sizes=(6, 6), joint=True)
    model = (
        transformer.build(TransformerConfig(width=8, heads=2, layers=1, decoder_layers=1), info)
        if kind == "transformer"
        else recurrent.build(
            RecurrentConfig(cell=kind.split()[0], attention=kind.split()[1], embedding=6, width=8), info  # type: ignore[arg-type]
        )
    ).double().eval()  # fmt: skip
    source = torch.tensor([[4, 5, EOS]])
    begin, own = stepping(model)

    def step(tokens: Tensor, state: object) -> tuple[Tensor, object]:
        logits, state = own(tokens, state)
        return without_padding(4 * logits), state

    found = Beam(4**3, 3, EOS, penalty)(in_numpy(step, source.device), BOS, begin(source))
    assert found[0].tokens == best_of_all(model, source, penalty)


@torch.no_grad()
def best_of_all(model: nn.Module, source: Tensor, penalty: float) -> tuple[int, ...]:
    """The best of every translation with at most three tokens, its end among them, each scored by the whole network;
    those without an end come last."""
    scored = []
    for length in range(4):
        for tokens in itertools.product((1, 4, 5), repeat=length):
            ended = length < 3
            said = [*tokens, EOS] if ended else list(tokens)
            logits = model(source, torch.tensor([[BOS, *tokens]]))[0]
            values = without_padding(4 * logits).log_softmax(1)
            total = sum(float(values[place, token]) for place, token in enumerate(said))
            scored.append((not ended, -total / ((5 + len(said)) / 6) ** penalty, tokens))
    return min(scored)[2]


def test_tied_weights_are_one(info: TranslationInfo, made: Made) -> None:
    model = made("transformer", tie="all")
    assert model.tokens.source.weight is model.tokens.target.weight is model.tokens.output.weight  # type: ignore
    assert len({id(p) for p in made("transformer", tie="none").parameters()}) == 2 + len(list(model.parameters()))
    apart = info.model_copy(update={"joint": False})
    with pytest.raises(UsageError, match=r"tie = 'all'.*joint"):
        transformer.build(TransformerConfig(tie="all"), apart)


def test_muon_gets_the_hidden_matrices(made: Made) -> None:
    model = made("transformer")
    named = {name for name, p in model.named_parameters() if any(p is m for m in model.hidden_matrices())}  # type: ignore
    assert named and all("tokens" not in name and "norm" not in name for name in named)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_weights(kind: str, made: Made) -> None:
    first = made(kind).state_dict()
    for _ in range(6):
        assert all(torch.equal(value, first[name]) for name, value in made(kind).state_dict().items())


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValidationError, match="7 heads"):
        TransformerConfig(width=64, heads=7)
