"""Fixtures of this plugin's tests: trainers put together without data sets."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from dlkit.config import EngineConfig
from dlkit.engine.device import Cpu, Device
from dlkit.engine.trainer import Setup
from dlkit_scratch.losses import CrossEntropy, Logistic, Loss, Perceptron, SquaredError
from dlkit_scratch.network import Network
from dlkit_scratch.options import DescentConfig
from dlkit_scratch.trainer import ScratchTrainer

LOSSES: dict[str, type[Loss]] = {
    "mse": SquaredError,
    "cross-entropy": CrossEntropy,
    "logistic": Logistic,
    "perceptron": Perceptron,
}


@pytest.fixture(scope="session")
def make_trainer() -> Callable[..., ScratchTrainer]:
    """``make_trainer(network, "mse", engine={"clip": 1.0}, lr=0.1)``: options are the trainer's."""

    def make(
        network: Network,
        loss: str,
        *,
        engine: dict[str, Any] | None = None,
        device: Device | None = None,
        **options: Any,
    ) -> ScratchTrainer:
        task: Any = SimpleNamespace(inputs=("x",))
        config, info = DescentConfig(**options), SimpleNamespace()
        built = LOSSES[loss](config, info)
        settings = EngineConfig(device="cpu", **(engine or {}))
        info_: Any = info
        return ScratchTrainer(
            Setup(network, built, task, info_, config, settings, device or Cpu(), None, total_steps=100)
        )

    return make
