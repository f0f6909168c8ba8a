"""On MNIST, as a user trains: what the optimum is, and a line well below the recipes' figures, as training is short."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import dlkit
from dlkit.data.context import Context
from dlkit_autoencoder.datasets.digits import build_mnist
from dlkit_autoencoder.options import DigitsConfig

pytestmark = pytest.mark.realdata


@pytest.fixture
def train(real: Callable[[str], Context], tmp_path: Path) -> Callable[..., dict[str, float]]:
    """``train("linear", epochs=15)``: metrics on test."""
    context = real("mnist")
    (tmp_path / "data").symlink_to(context.data.resolve())

    def go(model: str, **engine: Any) -> dict[str, float]:
        run = dlkit.train(
            "autoencoder",
            dataset="mnist",
            model=model,
            engine={"sample_every": "never", "eval_every": "end"},
            **{"max_time": 60, "device": "cpu", **engine},
            workspace=tmp_path,
            offline=True,
        )
        return run.evaluate("test")

    return go


@pytest.fixture
def pca(real: Callable[[str], Context]) -> float:
    """Mean squared error on test of the projection on the training images' first 32 principal components."""
    data = build_mnist(DigitsConfig(), real("mnist"))
    assert data.test is not None
    train, test = (s.take(torch.arange(len(s)))["image"].flatten(1).double() for s in (data.train, data.test))
    mean = train.mean(0)
    components = torch.linalg.eigh((train - mean).T @ (train - mean)).eigenvectors[:, -32:]
    rest = (test - mean) - (test - mean) @ components @ components.T
    return float(np.square(rest.numpy()).mean())


def test_the_linear_one_reaches_principal_components(train: Callable[..., dict[str, float]], pca: float) -> None:
    assert 0.9999 * pca < train("linear")["test/mse"] <= 1.005 * pca


def test_the_convolutional_one_goes_far_below(train: Callable[..., dict[str, float]], pca: float) -> None:
    assert train("convolutional", epochs=1)["test/mse"] <= 0.4 * pca
