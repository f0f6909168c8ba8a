"""Metrics against a plain computation, however the split is cut into batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score, recall_score

from dlkit_classification.metrics import PER_CLASS, ClassificationMetrics


@given(
    classes=st.integers(2, 25),
    count=st.integers(1, 60),
    cut=st.integers(1, 60),
    seed=st.integers(0, 2**31),
)
def test_metrics_are_those_of_a_plain_count(classes: int, count: int, cut: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(count, classes)).astype(np.float32)
    label = generator.integers(0, classes, count)
    metrics = ClassificationMetrics([f"c{i}" for i in range(classes)])
    for first in range(0, count, cut):
        part = slice(first, first + cut)
        metrics.update(torch.from_numpy(logits[part]), {"label": torch.from_numpy(label[part])})
    found = metrics.compute()

    predicted = logits.argmax(1)
    expected = {"accuracy": float((predicted == label).mean())}
    expected["macro_f1"] = f1_score(label, predicted, average="macro")
    expected["macro_precision"] = precision_score(label, predicted, average="macro", zero_division=0)
    expected["macro_recall"] = recall_score(label, predicted, average="macro", zero_division=0)
    for i in set(predicted.tolist()):
        expected[f"precision/c{i}"] = float((predicted == label)[predicted == i].mean())
    for i in set(label.tolist()):
        expected[f"accuracy/c{i}"] = float((predicted == label)[label == i].mean())
    if classes > 10:
        order = (-logits).argsort(1)[:, :5]
        expected["top5"] = float(np.mean([true in row for true, row in zip(label, order, strict=True)]))
    assert found == pytest.approx(expected)
    assert all(type(value) is float for value in found.values())

    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, (label, predicted), 1)
    assert metrics.confusion.matrix().tolist() == matrix.tolist()


def test_nothing_seen_is_nothing_said() -> None:
    assert ClassificationMetrics(["a", "b"]).compute() == {}


def test_very_many_classes_have_no_accuracy_each() -> None:
    metrics = ClassificationMetrics([str(i) for i in range(PER_CLASS + 1)])
    metrics.update(torch.eye(PER_CLASS + 1), {"label": torch.arange(PER_CLASS + 1)})
    assert metrics.compute() == {
        "accuracy": 1.0, "macro_f1": 1.0, "macro_precision": 1.0, "macro_recall": 1.0, "top5": 1.0
    }  # fmt: skip
