"""Skip-gram: the gradient by hand is autograd's, pairs count as often as in the text, and resuming is exact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import dlkit
from dlkit.config import EngineConfig
from dlkit.data.splits import Data
from dlkit.engine import loop
from dlkit.engine.device import Cpu
from dlkit.engine.trainer import Setup
from dlkit.errors import PluginError, UsageError
from dlkit.events import Event
from dlkit_embeddings.word_vectors.cbow import Cbow
from dlkit_embeddings.word_vectors.info import WordsInfo
from dlkit_embeddings.word_vectors.options import (
    CbowConfig,
    NegativeSamplingConfig,
    SkipGramConfig,
    SkipGramTrainerConfig,
)
from dlkit_embeddings.word_vectors.skip_gram.model import SkipGram
from dlkit_embeddings.word_vectors.skip_gram.negative_sampling import NegativeSampling
from dlkit_embeddings.word_vectors.skip_gram.trainer import SkipGramTrainer
from dlkit_embeddings.word_vectors.task import WordEmbeddings

PASSAGES = {"reading": "passages", "passage": 8, "window": 3, "unknown": "drop"}


def make_trainer(info: WordsInfo, total: int = 10, **options: Any) -> SkipGramTrainer:
    torch.manual_seed(0)
    model = SkipGram(SkipGramConfig(size=6), info)
    model.input_vectors.data[:-1].normal_()
    model.output_vectors.data.normal_()
    loss = NegativeSampling(NegativeSamplingConfig(negatives=4), info)
    config, cpu = SkipGramTrainerConfig(**options), Cpu()
    return SkipGramTrainer(Setup(model, loss, WordEmbeddings(), info, config, EngineConfig(), cpu, None, total))


def batch_of(data: Data, size: int = 64) -> dict[str, Tensor]:
    plan = data.train.planner.plan(len(data.train), 0, 0, size)
    return next(iter(data.train.batches(plan, seed=0, epoch=0)))


def slow_loss(
    trainer: SkipGramTrainer, batch: dict[str, Tensor], drawn: Tensor, inner: Tensor, outer: Tensor
) -> Tensor:
    """Pair by pair, from the batch's own columns, as the contract has them."""
    info: Any = trainer.setup.info
    total = torch.zeros(())
    weights = []
    distances = [*range(info.before, 0, -1), *range(1, info.after + 1)]
    for row, (target, context) in enumerate(zip(batch["target"].tolist(), batch["context"].tolist(), strict=True)):
        for distance, word in zip(distances, context, strict=True):
            window = info.before if distance else info.after
            weight = (window + 1 - distance) / window if trainer.config.nearer else 1.0
            weights.append(weight)
            if word >= 0:
                total = total + weight * F.softplus(-(inner[word] @ outer[target]))
        each = sum(weights[-len(distances) :]) * 4 / trainer.config.shared
        total = total + each * F.softplus(outer[drawn[row // info.passage]] @ inner[target]).sum()
    return total


@pytest.mark.parametrize("options", [{}, {"nearer": False}])
@pytest.mark.parametrize("context", ["around", "before"])
def test_a_step_is_along_the_gradient(
    context: str, options: dict[str, Any], data: Callable[..., Data], info: Callable[..., WordsInfo]
) -> None:
    """(6) from the batch's own columns, pair by pair, by autograd."""
    made = {**PASSAGES, "context": context}
    trainer = make_trainer(info(**made), shared=5, update=1000, lr=0.01, **options)
    batch = batch_of(data(**made))
    model: Any = trainer.model
    inner, outer = (t.detach().clone().requires_grad_() for t in (model.input_vectors, model.output_vectors))
    drawn = trainer._draw(8, 0)
    loss = slow_loss(trainer, batch, drawn, inner, outer)
    loss.backward()
    values = trainer.step([batch], 0)
    assert inner.grad is not None and outer.grad is not None
    assert torch.allclose(model.input_vectors[:-1], (inner - 0.01 * inner.grad)[:-1], atol=1e-5)
    assert torch.allclose(model.output_vectors, outer - 0.01 * outer.grad, atol=1e-5)
    pairs = float(trainer._loss.pair_weights.sum()) * 8
    assert float(values["train/loss"]) == pytest.approx(loss.item() / pairs, rel=1e-4)
    assert values["lr"] == 0.01 and not model.input_vectors[-1].any()


def test_words_beyond_the_text_change_nothing(info: Callable[..., WordsInfo]) -> None:
    trainer = make_trainer(info(**PASSAGES))
    model: Any = trainer.model
    context = torch.full((8, 6), -1)
    context[1:, 2] = context[:-1, 3] = 5
    trainer.step([{"target": torch.full((8,), 5), "context": context}], 0)
    assert not model.input_vectors[-1].any() and model.input_vectors.isfinite().all()


def test_updates_follow_each_other_within_a_step(data: Callable[..., Data], info: Callable[..., WordsInfo]) -> None:
    batch = batch_of(data(**PASSAGES))
    ends = []
    for update in (8, 16, 1000):
        trainer = make_trainer(info(**PASSAGES), update=update, lr=1e-3)
        trainer.step([batch], 0)
        ends.append(trainer.model.input_vectors.clone())  # type: ignore[union-attr,operator]
    assert not torch.equal(ends[0], ends[1]) and not torch.equal(ends[1], ends[2])
    assert torch.allclose(ends[0], ends[2], atol=0.01)


def test_each_pair_has_its_negatives(info: Callable[..., WordsInfo]) -> None:
    """(5): n · M is K of each pair in which a word is the input, however many words are shared."""
    for shared in (1, 5, 64):
        trainer = make_trainer(info(**PASSAGES), shared=shared)
        assert trainer._loss.noise_weight * shared == pytest.approx(4 * 2 * (3 / 3 + 2 / 3 + 1 / 3))


def test_words_are_drawn_as_their_counts_say(info: Callable[..., WordsInfo]) -> None:
    found = info(**PASSAGES)
    trainer = make_trainer(found, shared=64)
    drawn = torch.cat([trainer._draw(64, step).flatten() for step in range(20)])
    noise = np.asarray(found.counts, float) ** 0.75
    shares = np.bincount(drawn.numpy(), minlength=len(found.words)) / len(drawn)
    assert np.abs(shares - noise / noise.sum()).max() < 0.01
    assert torch.equal(trainer._draw(3, 7), trainer._draw(3, 7))
    assert not torch.equal(trainer._draw(3, 7), trainer._draw(3, 8))


def test_the_rate_falls_to_its_end(info: Callable[..., WordsInfo]) -> None:
    """(7)."""
    factor = make_trainer(info(**PASSAGES), total=100, final=0.1).schedule()
    assert [round(factor(step), 6) for step in (0, 50, 95, 500)] == [1.0, 0.5, 0.1, 0.1]


def test_updates_are_rarer_where_a_word_is_common(info: Callable[..., WordsInfo]) -> None:
    """(8): η · words · f · Σ p · (1 + K) stays at 12 or below, of the share f of the commonest word."""
    found = info(**PASSAGES)
    share = max(found.counts) / sum(found.counts)
    for lr in (1e-4, 1e-2, 0.1, 10.0):
        trainer = make_trainer(found, update=5000, lr=lr)
        words = trainer._at_once * 8
        terms = 2 * (3 / 3 + 2 / 3 + 1 / 3) * (1 + 4)
        if words > 8:
            assert lr * words * share * terms <= 12
        if words + 8 <= 5000:
            assert lr * (words + 8) * share * terms > 12
    assert make_trainer(found, update=5000, lr=1e-4)._at_once == 5000 // 8
    assert make_trainer(info(**PASSAGES, subsample=0.01), lr=0.1)._at_once > make_trainer(found, lr=0.1)._at_once


def test_what_does_not_fit_is_refused(info: Callable[..., WordsInfo]) -> None:
    with pytest.raises(UsageError, match=r"--dataset\.reading passages"):
        make_trainer(info())
    trainer = make_trainer(info(**PASSAGES))
    with pytest.raises(UsageError, match=r"3 words holds no passage of dataset\.passage = 8"):
        trainer.step([{"target": torch.zeros(3).long(), "context": torch.zeros(3, 6).long()}], 0)
    setup = trainer.setup
    found: Any = setup.info
    with pytest.raises(PluginError, match="not Cbow and NegativeSampling"):
        SkipGramTrainer(
            Setup(
                Cbow(CbowConfig(), found),
                setup.loss,
                setup.task,
                found,
                setup.config,
                setup.engine,
                setup.device,
                None,
                9,
            )
        )


MODELS: dict[str, dict[str, Any]] = {
    "skip-gram": {"dataset": {"passage": 8}, "model": {"name": "skip-gram", "size": 8}, "batch_size": 64},
    "cbow": {"dataset": {"cap": 100}, "model": {"name": "cbow", "size": 8, "dropout": 0.1}, "batch_size": 32},
}


@pytest.mark.parametrize("model", MODELS)
def test_resumed_in_the_middle_of_an_epoch_is_exact(
    model: str, tmp_path: Path, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    (tmp_path / "text.txt").write_text(language)
    options = MODELS[model]
    dataset = {"name": "files", "path": str(tmp_path / "text.txt"), "least": 1, "subsample": 0.05, **options["dataset"]}

    def stop(event: Event) -> None:
        if int(getattr(event, "first", 0)) >= 7:
            raise KeyboardInterrupt

    def train(**more: Any) -> dlkit.Run:
        return dlkit.train(
            "embeddings",
            dataset=dataset,
            model=options["model"],
            steps=30,
            batch_size=options["batch_size"],
            device="cpu",
            engine={"eval_every": "5 steps", "sample_every": "never", "threads": 1},
            workspace=tmp_path / "workspace",
            **more,
        )

    whole = train()
    with pytest.raises(KeyboardInterrupt):
        train(on_event=stop)
    cut = dlkit.list_runs(tmp_path / "workspace")[0]
    assert cut.state == "stopped" and cut.id != whole.id
    resumed = cut.resume()
    assert resumed.state == "completed" and resumed.history("train/loss") == whole.history("train/loss")
    weights = [run.predictor("last").model.state_dict() for run in (whole, resumed)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
