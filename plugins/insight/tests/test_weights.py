"""The numbers of a model's weights, by layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dlkit.config import NoOptions
from dlkit.errors import DataError
from dlkit.samples import Table
from dlkit.task import Info
from dlkit_insight.weights import Weights


@pytest.fixture
def weights() -> Weights:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.Linear(4, 3), nn.ReLU()))
    with torch.no_grad():
        model.get_submodule("1.0").weight.copy_(torch.arange(12.0).view(3, 4))  # type: ignore[operator]
    return Weights(model, Info(), NoOptions())


def test_a_layer_is_told_by_the_numbers_that_it_has(weights: Weights) -> None:
    weight, bias = weights.predict(weights.read(["1"]))
    assert weight["name"] == "1.0.weight" and bias["name"] == "1.0.bias"
    assert (weight["kind"], weight["shape"], weight["count"]) == ("Linear", [3, 4], 12)
    assert (weight["least"], weight["greatest"], weight["mean"]) == (0, 11, 5.5)
    assert weight["std"] == pytest.approx(np.arange(12.0).std()) and weight["zeros"] == pytest.approx(1 / 12)


def test_samples_have_every_layer_with_weights(weights: Weights) -> None:
    (table,) = weights.samples(24, np.random.default_rng(0), None)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["0.weight", "0.bias", "1.0.weight", "1.0.bias"]
    assert table.rows[0][2] == "2×1×3×3"
    assert weights.read(weights.example(None, np.random.default_rng(0), Path())) == [row[0] for row in table.rows]


def test_a_layer_that_is_not_there_is_named_with_the_nearest(weights: Weights) -> None:
    with pytest.raises(DataError, match=r"no layer '1\.0\.wieght' with weights: did you mean '1\.0\.weight'\?"):
        weights.read(["1.0.wieght"])


def test_a_model_without_weights_has_nothing_to_show() -> None:
    assert not Weights(nn.ReLU(), Info(), NoOptions()).samples(1, np.random.default_rng(0), None)
