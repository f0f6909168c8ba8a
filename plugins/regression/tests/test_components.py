"""Metrics, models and losses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from dlkit.config import NoOptions
from dlkit.task import check_columns
from dlkit_regression import losses, models
from dlkit_regression.metrics import RegressionMetrics
from dlkit_regression.options import HuberConfig, MlpConfig
from dlkit_regression.task import Regression

INFO: Any = SimpleNamespace(features=["a", "b", "c"])


@given(seed=st.integers(0, 2**32), count=st.integers(2, 60), std=st.floats(0.1, 500), chunk=st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_metrics_are_scikit_learns(seed: int, count: int, std: float, chunk: int) -> None:
    generator = np.random.default_rng(seed)
    target, output = generator.normal(1, 1, count).astype(np.float32), generator.normal(size=count).astype(np.float32)
    metrics = RegressionMetrics(std)
    for first in range(0, count, chunk):
        part = slice(first, first + chunk)
        metrics.update(torch.from_numpy(output[part, None]), {"target": torch.from_numpy(target[part, None])})
    found, true, predicted = metrics.compute(), target.astype(np.float64), output.astype(np.float64)
    mse = mean_squared_error(true, predicted)
    assert found["mse"] == pytest.approx(mse)
    assert found["rmse"] == pytest.approx(mse**0.5 * std)
    assert found["mae"] == pytest.approx(mean_absolute_error(true, predicted) * std)
    assert found["r2"] == pytest.approx(r2_score(true, predicted), rel=1e-6, abs=1e-6)


def test_undefined_metrics_are_left_out() -> None:
    metrics = RegressionMetrics(2.0)
    assert metrics.compute() == {}
    metrics.update(torch.tensor([[1.0]]), {"target": torch.tensor([[3.0]])})
    assert metrics.compute() == {"mse": 4.0, "rmse": 4.0, "mae": 4.0}


@pytest.mark.parametrize(
    "config",
    [
        MlpConfig(),
        MlpConfig(hidden=[]),
        MlpConfig(hidden=[8, 4], activation="silu", norm="batch", dropout=0.2),
        MlpConfig(hidden=[8], activation="sigmoid", norm="layer"),
    ],
)
def test_models_keep_the_contract(config: MlpConfig) -> None:
    for model in (models.mlp(config, INFO), models.linear(NoOptions(), INFO)):
        check_columns({"outputs": Regression.outputs}, {"outputs": model(torch.randn(6, 3))}, "model")


def test_hidden_layers_are_as_asked() -> None:
    model = models.mlp(MlpConfig(hidden=[8, 4], activation="tanh", dropout=0.2), INFO)
    names = [type(module).__name__ for module in model]  # type: ignore[union-attr]
    assert names == ["Linear", "Tanh", "Dropout", "Linear", "Tanh", "Dropout", "Linear"]
    assert sum(p.numel() for p in model.parameters()) == (3 * 8 + 8) + (8 * 4 + 4) + (4 + 1)


def test_losses_are_their_formulas() -> None:
    outputs, batch = torch.tensor([[0.0], [3.0]]), {"target": torch.tensor([[1.0], [0.0]])}
    assert losses.mse(NoOptions(), None)(outputs, batch)["loss"].item() == pytest.approx((1 + 9) / 2)
    assert losses.mae(NoOptions(), None)(outputs, batch)["loss"].item() == pytest.approx((1 + 3) / 2)
    for delta, expected in ((1.0, (0.5 + 2.5) / 2), (4.0, (0.5 + 4.5) / 2)):
        huber = losses.huber(HuberConfig(delta=delta), None)
        assert huber(outputs, batch)["loss"].item() == pytest.approx(expected)
