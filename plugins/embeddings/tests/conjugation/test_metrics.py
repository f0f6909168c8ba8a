"""Accuracy, macro F1 and recalls by their definitions; losses weighted and smoothed."""

from __future__ import annotations

from statistics import mean

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from dlkit_embeddings.conjugation.info import FORMS, ConjugationInfo
from dlkit_embeddings.conjugation.losses import balanced, cross_entropy
from dlkit_embeddings.conjugation.metrics import ConjugationMetrics
from dlkit_embeddings.conjugation.options import CrossEntropyConfig

LABELS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), min_size=1, max_size=40)
INFO = ConjugationInfo(
    classes=list(FORMS), counts=[6, 3, 1, *[0] * 9], words=["<pad>", "<unk>"], window=1, across=False, lower=True,
    signs=True, vectors=None,
)  # fmt: skip


@given(LABELS, st.integers(1, 40))
def test_metrics_are_those_of_the_definitions(pairs: list[tuple[int, int]], batch: int) -> None:
    """(C3) among them."""
    true, predicted = (torch.tensor(column) for column in zip(*pairs, strict=True))
    metrics = ConjugationMetrics(FORMS)
    for first in range(0, len(true), batch):
        outputs = F.one_hot(predicted[first : first + batch], 12).float()
        metrics.update(outputs, {"label": true[first : first + batch]})
    found = metrics.compute()
    assert found.pop("accuracy") == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))
    assert found.pop("macro_f1") == pytest.approx(mean(f1(pairs, i) for i in {i for pair in pairs for i in pair}))
    there = {a for a, _ in pairs}
    recalls = {f"recall/{FORMS[i]}": sum(p == (i, i) for p in pairs) / sum(p[0] == i for p in pairs) for i in there}
    assert found == pytest.approx(recalls)


def f1(pairs: list[tuple[int, int]], label: int) -> float:
    """The harmonic mean of precision and recall; 0 where one of them is 0 or undefined."""
    hits = sum(pair == (label, label) for pair in pairs)
    if not hits:
        return 0.0
    precision = hits / sum(pair[1] == label for pair in pairs)
    recall = hits / sum(pair[0] == label for pair in pairs)
    return 2 / (1 / precision + 1 / recall)


def test_nothing_seen_is_nothing_said_and_ranks_add_up() -> None:
    metrics = ConjugationMetrics(FORMS)
    assert metrics.compute() == {}
    metrics.update(torch.eye(12), {"label": torch.arange(12)})
    metrics.reduce(lambda counts: counts if counts is None else counts * 2)
    assert int(metrics.confusion.matrix().sum()) == 24


def test_the_loss_is_the_true_forms_mean_nats() -> None:
    """(C1), and smoothed."""
    outputs, batch = torch.randn(5, 12), {"label": torch.tensor([0, 1, 1, 2, 11])}
    expected = -outputs.log_softmax(1)[torch.arange(5), batch["label"]].mean()
    assert cross_entropy(CrossEntropyConfig(), INFO)(outputs, batch)["loss"] == pytest.approx(float(expected))
    smoothed = cross_entropy(CrossEntropyConfig(smoothing=0.1), INFO)(outputs, batch)["loss"]
    assert smoothed == pytest.approx(float(0.9 * expected - 0.1 * outputs.log_softmax(1).mean()), rel=1e-5)


def test_balanced_forms_count_alike() -> None:
    """(C2), and (C1) with weights."""
    weights = balanced(INFO.counts)
    assert torch.allclose(weights[:3] * torch.tensor([6.0, 3, 1]), torch.tensor(10 / 3))
    assert weights[3:].tolist() == [1.0] * 9
    batch = {"label": torch.tensor([0, 2])}
    found = cross_entropy(CrossEntropyConfig(weights="balanced"), INFO)(torch.eye(12)[[0, 0]], batch)["loss"]
    nats = -torch.eye(12)[0].log_softmax(0)
    expected = (weights[0] * nats[0] + weights[2] * nats[2]) / (weights[0] + weights[2])
    assert found == pytest.approx(float(expected))
