"""Loss, perplexity and bits a character, against their definitions."""

from __future__ import annotations

import math

import pytest
import torch

from dlkit.config import NoOptions
from dlkit.data.text.windows import IGNORED
from dlkit_textgen.losses import cross_entropy
from dlkit_textgen.metrics import TextMetrics


def batch(rows: int, seed: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(5, (rows, 4), generator=generator)
    target[0, :3] = IGNORED
    characters = (target != IGNORED).sum(1) * 2.5
    return torch.randn(rows, 4, 5, generator=generator), {"target": target, "characters": characters}


def test_over_all_counted_targets_whatever_the_batches() -> None:
    metrics, nats, count = TextMetrics(), 0.0, 0
    for rows, seed in ((3, 0), (1, 1)):
        outputs, found = batch(rows, seed)
        metrics.update(outputs, found)
        for row, targets in zip(outputs.log_softmax(2), found["target"], strict=True):
            for place, target in zip(row, targets.tolist(), strict=True):
                if target != IGNORED:
                    nats, count = nats - float(place[target]), count + 1
    values = metrics.compute()
    assert count == 10
    assert values["loss"] == pytest.approx(nats / count, rel=1e-6)
    assert values["perplexity"] == pytest.approx(math.exp(nats / count), rel=1e-6)
    assert values["bits_per_character"] == pytest.approx(nats / count / 2.5 / math.log(2), rel=1e-6)


def test_a_model_that_knows_nothing_has_the_vocabulary_as_its_perplexity() -> None:
    metrics = TextMetrics()
    metrics.update(torch.zeros(2, 4, 5), batch(2, 0)[1])
    assert metrics.compute()["perplexity"] == pytest.approx(5, rel=1e-6)


def test_several_processes_add_up() -> None:
    metrics, doubled = TextMetrics(), TextMetrics()
    outputs, found = batch(3, 0)
    metrics.update(outputs, found)
    doubled.update(outputs, found)
    doubled.reduce(lambda tensor: None if tensor is None else tensor * 2)
    assert doubled.compute() == pytest.approx(metrics.compute())
    assert TextMetrics().compute() == {}


def test_a_hopeless_loss_is_still_a_number() -> None:
    metrics = TextMetrics()
    outputs = torch.zeros(1, 4, 5)
    outputs[..., 0] = 1e4
    target = torch.ones(1, 4, dtype=torch.int64)
    metrics.update(outputs, {"target": target, "characters": torch.ones(1)})
    assert math.isfinite(metrics.compute()["perplexity"])


def test_the_loss_is_the_mean_over_what_counts() -> None:
    outputs, found = batch(3, 2)
    metrics = TextMetrics()
    metrics.update(outputs, found)
    assert float(cross_entropy(NoOptions(), None)(outputs, found)["loss"]) == pytest.approx(metrics.compute()["loss"])
