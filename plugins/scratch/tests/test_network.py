"""A NumPy network is a torch module like any other to those who store, load and query it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from dlkit.data.randomness import seed_all
from dlkit_scratch import models
from dlkit_scratch.network import Network, multilayer
from dlkit_scratch.options import MlpConfig
from dlkit_scratch.trainer import ScratchTrainer

IMAGES: Any = SimpleNamespace(shape=(1, 4, 3), classes=["a", "b", "c"])
ROWS: Any = SimpleNamespace(features=["x", "y", "z=1", "z=2"])


def network() -> Network:
    return multilayer([4, 6, 2], "sigmoid", 0.0, np.random.default_rng(0))


def test_parameters_are_numpys_memory_before_and_after_loading() -> None:
    model = network()
    views = [array for layer in model.layers for array in layer.arrays()]
    model.load_state_dict({name: torch.full_like(t, 0.25) for name, t in model.state_dict().items()})
    assert all((view == 0.25).all() for view in views)
    views[0][:] = 3
    assert (next(model.parameters()) == 3).all()
    assert not any(p.requires_grad for p in model.parameters())


def test_training_changes_what_was_loaded(make_trainer: Callable[..., ScratchTrainer], tmp_path: Path) -> None:
    """The trainer's arrays stay the model's when a checkpoint is loaded after it was built."""
    model, batch = network(), {"x": torch.randn(8, 4), "label": torch.randint(0, 2, (8,))}
    trainer = make_trainer(model, "cross-entropy")
    save_file({name: t * 2 for name, t in model.state_dict().items()}, tmp_path / "w.safetensors")
    loaded = load_file(tmp_path / "w.safetensors")
    model.load_state_dict(loaded)
    trainer.step([batch], 0)
    assert not torch.equal(model.state_dict()["layers.0.weight"], loaded["layers.0.weight"])
    twice = network()
    twice.load_state_dict(loaded)
    make_trainer(twice, "cross-entropy").step([batch], 0)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twice.parameters(), strict=True))


def test_forward_is_the_formula() -> None:
    model, x = network(), torch.randn(5, 4)
    (w1, b1), (w2, b2) = (layer.arrays() for layer in model.layers)
    expected = 1 / (1 + np.exp(-(x.numpy() @ w1 + b1))) @ w2 + b2
    np.testing.assert_allclose(model(x).numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_what_is_exported_is_the_same_network(activation: str) -> None:
    model = multilayer([12, 5, 4, 3], activation, 0.2, np.random.default_rng(0)).eval()
    example = torch.randn(2, 1, 4, 3)
    batch = torch.export.Dim("batch")
    program = torch.export.export(model, (example,), dynamic_shapes=({0: batch},))
    images = torch.randn(7, 1, 4, 3)
    torch.testing.assert_close(program.module()(images), model(images))


def test_models_take_what_their_task_gives() -> None:
    config = MlpConfig(hidden=[8, 5], dropout=0.1)
    images, rows = torch.randn(2, 1, 4, 3), torch.randn(2, 4)
    for classifier in (models.mlp_classifier(config, IMAGES), models.linear_classifier(config, IMAGES)):
        assert classifier(images).shape == (2, 3)
    for regressor in (models.mlp_regressor(config, ROWS), models.linear_regressor(config, ROWS)):
        assert regressor(rows).shape == (2, 1)
        assert regressor(rows).dtype == torch.float32


def test_a_start_is_a_function_of_the_seed() -> None:
    def start(seed: int) -> torch.Tensor:
        seed_all(seed)
        return models.mlp_regressor(MlpConfig(), ROWS).layers[0].weight

    assert torch.equal(start(1), start(1))
    assert not torch.equal(start(1), start(2))


def test_random_weights_have_the_declared_spread() -> None:
    generator = np.random.default_rng(0)
    for activation, variance in (("sigmoid", 1 / 400), ("relu", 2 / 400)):
        hidden, output = multilayer([400, 300, 200], activation, 0.0, generator).layers
        assert hidden.weight.var().item() == pytest.approx(variance, rel=0.05)
        assert output.weight.var().item() == pytest.approx(1 / 300, rel=0.05)
        assert not hidden.bias.any()
