"""Fixtures of this plugin's tests: two classes of images on disk, and a network's file of weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from dlkit_transfer.networks import of_torchvision

Images = Callable[..., Path]


@pytest.fixture
def images(tmp_path: Path) -> Images:
    """``images(20, side=40)``: that many images of each of two classes, stripes that lie and stripes that stand."""

    def make(count: int = 20, side: int = 40) -> Path:
        generator = np.random.default_rng(0)
        for kind, axis in (("lying", 0), ("standing", 1)):
            place = tmp_path / "images" / kind
            place.mkdir(parents=True, exist_ok=True)
            for i in range(count):
                phase, period = generator.uniform(0, 6), generator.uniform(5, 9)
                wave = np.sin(np.arange(side) * 2 * np.pi / period + phase) * 60 + 128
                pixels = np.repeat(np.expand_dims(wave, 1 - axis), side, 1 - axis)[..., None]
                noisy = pixels + generator.normal(0, 30, (side, side, 3))
                Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(place / f"{i:03}.png")
        return tmp_path / "images"

    return make


@pytest.fixture(scope="session")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """torchvision's names, weights drawn at random, in half precision."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "squeezenet.safetensors"
    state = of_torchvision("squeezenet1_1").state_dict()
    save_file({**{name: tensor.half() for name, tensor in state.items()}, "classifier.1.bias": torch.ones(1000)}, path)
    return path
