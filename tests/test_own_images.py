"""Own images: some hundreds are trained on for as long as a person would, with the preset or without."""

from __future__ import annotations

import math

import pytest

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.config_file import preset_layer

CATALOG = Catalog.load_everything()
TASKS = ("autoencoder", "classification", "detection", "gan", "localization")
BY_HAND = {"softmax", "logistic", "perceptron", "scratch-mlp"}
"""Networks without autograd, for the course's data."""
IMAGES = 143
"""What 205 images leave for training, where 15 % each are for validation and test."""
STEPS = 500
"""Fewer teach a network from scratch little: a preset once came to 36."""


def models(task: str) -> list[str]:
    return [model.name for model in CATALOG.specs("model", task) if model.name not in BY_HAND]


def steps(task: str, layers: list[Layer]) -> int:
    engine = resolve(CATALOG, task, layers).engine
    assert engine.epochs is not None
    return engine.epochs * math.ceil(IMAGES / engine.batch_size)


@pytest.mark.parametrize(("task", "model"), [(task, model) for task in TASKS for model in models(task)])
def test_a_small_folder_is_trained_on_long_enough(task: str, model: str) -> None:
    own = {"dataset": {"name": "files", "path": "photos"}, "model": {"name": model}}
    if not model.startswith("grid-"):  # the course's, for the course's canvases
        assert steps(task, [Layer("flag", own)]) >= STEPS


@pytest.mark.parametrize("task", TASKS)
def test_so_it_is_with_the_preset(task: str) -> None:
    own = Layer("flag", {"dataset": {"name": "files", "path": "photos"}})
    preset = preset_layer(CATALOG, task, "photographs", {"dataset": "files"})
    assert steps(task, [preset, own]) >= STEPS
