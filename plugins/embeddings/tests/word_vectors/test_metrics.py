"""What is measured: over every target once, however it is divided into batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dlkit_embeddings.word_vectors.losses import cross_entropy
from dlkit_embeddings.word_vectors.metrics import WordMetrics


def test_metrics_are_over_all_targets_whatever_the_batches() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs, target = torch.randn(90, 12, generator=generator), torch.randint(12, (90,), generator=generator)
    whole, parts = WordMetrics(), WordMetrics()
    whole.update(outputs, {"target": target})
    for some, t in zip(outputs.split([50, 40]), target.split([50, 40]), strict=True):
        parts.update(some, {"target": t})
    found = whole.compute()
    assert parts.compute() == pytest.approx(found, rel=1e-6)
    order = outputs.argsort(1, descending=True)
    assert found["accuracy"] == pytest.approx((order[:, 0] == target).double().mean().item())
    assert found["top5"] == pytest.approx((order[:, :5] == target[:, None]).any(1).double().mean().item())
    loss = cross_entropy(None, None)(outputs, {"target": target})["loss"].item()  # type: ignore[arg-type]
    assert found["loss"] == pytest.approx(loss, rel=1e-6) and found["perplexity"] == pytest.approx(
        np.exp(loss), rel=1e-5
    )
    assert WordMetrics().compute() == {}
