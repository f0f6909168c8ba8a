"""Weights of classes: what they are, and that the weighted mean does not depend on how a batch is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

import dlkit
from dlkit.errors import UsageError
from dlkit_classification.info import ClassificationInfo
from dlkit_classification.losses import Weighted, cross_entropy
from dlkit_classification.options import CrossEntropyConfig


def info(counts: Sequence[int] | None) -> ClassificationInfo:
    one = np.ones(1, np.float32)
    names = [str(i) for i in range(len(counts or (0, 0)))]
    return ClassificationInfo(
        classes=names, shape=(1, 4, 4), mean=one, std=one, counts=None if counts is None else list(counts)
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_weighted_loss_is_the_same_however_a_batch_is_cut(smoothing: float) -> None:
    config = CrossEntropyConfig(balanced=True, label_smoothing=smoothing)
    loss = cross_entropy(config, info([8, 1, 3]))
    assert isinstance(loss, Weighted)
    outputs, label = (
        torch.randn(12, 3, generator=torch.Generator().manual_seed(0)),
        torch.tensor([0] * 8 + [1] + [2] * 3),
    )
    whole = loss(outputs, {"label": label})["loss"]
    total, weight = torch.zeros(()), torch.zeros(())
    for part in (slice(0, 5), slice(5, 6), slice(6, 12)):
        batch = {"label": label[part]}
        counted = loss.counts(batch, nn.Identity())
        total, weight = total + loss(outputs[part], batch)["loss"] * counted, weight + counted
    torch.testing.assert_close(whole, total / weight)
    assert float(weight) == pytest.approx(12)  # balanced weights are 1 in the mean
    each = [float(loss.counts({"label": label[label == kind]}, nn.Identity())) for kind in range(3)]
    assert each == pytest.approx([4, 4, 4])


def test_weights_are_one_for_each_class() -> None:
    assert isinstance(cross_entropy(CrossEntropyConfig(class_weights=[1, 2]), info([5, 5])), Weighted)
    assert not isinstance(cross_entropy(CrossEntropyConfig(), info([5, 5])), Weighted)
    with pytest.raises(UsageError, match=r"loss\.class_weights has 3 weights for 2 classes: 0, 1"):
        cross_entropy(CrossEntropyConfig(class_weights=[1, 2, 3]), info([5, 5]))
    with pytest.raises(UsageError, match=r"loss\.balanced needs the number of images of each class"):
        cross_entropy(CrossEntropyConfig(balanced=True), info(None))
    with pytest.raises(ValidationError, match="two ways to weigh classes"):
        CrossEntropyConfig(class_weights=[1, 2], balanced=True)


def test_rare_classes_are_trained_by_weights_or_by_drawing(coloured: Callable[..., Path], tmp_path: Path) -> None:
    root = coloured(red=40, green=4)
    for way in ({"loss": {"balanced": True}}, {"dataset": {"balanced": True}}):
        run = dlkit.train(
            "classification",
            dataset={"name": "files", "path": str(root), "size": 8, **way.get("dataset", {})},
            model={"name": "mlp", "hidden": []},
            loss={"name": "cross-entropy", **way.get("loss", {})},
            epochs=2,
            batch_size=8,
            device="cpu",
            workspace=tmp_path / "workspace",
        )
        assert run.state == "completed" and {"val/macro_f1", "val/accuracy"} <= set(run.metrics)
