"""Every model keeps the contract, whatever the images; and each one's own promise holds."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlkit.errors import UsageError
from dlkit.task import check_columns
from dlkit_autoencoder import convolutional, models, variational
from dlkit_autoencoder.augment import Shift
from dlkit_autoencoder.info import AutoencoderInfo
from dlkit_autoencoder.options import (
    ConvolutionalConfig,
    DeepConfig,
    DenoisingConfig,
    LinearConfig,
    VariationalConfig,
)
from dlkit_autoencoder.task import Autoencoder

SMALL: dict[str, Any] = {"code": 5, "width": 8, "stem": 4, "hidden": 16}
MODELS = {
    "linear": (models.linear, LinearConfig(code=5)),
    "deep": (models.deep, DeepConfig(code=5, hidden=[16, 8])),
    "convolutional": (convolutional.convolutional, ConvolutionalConfig(**SMALL)),
    "denoising": (convolutional.denoising, DenoisingConfig(**SMALL)),
    "variational": (variational.build, VariationalConfig(**SMALL, components=3)),
}


def build(name: str, shape: tuple[int, int, int] = (1, 28, 28), **options: Any) -> Any:
    torch.manual_seed(0)
    target, config = MODELS[name]
    changed: Any = type(config)(**{**config.model_dump(), **options})
    return target(changed, AutoencoderInfo(shape=shape))  # type: ignore[operator]


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=6)
@given(count=st.integers(1, 5), channels=st.sampled_from([1, 3]), rows=st.integers(2, 9), columns=st.integers(2, 9))
def test_the_contract_holds(name: str, count: int, channels: int, rows: int, columns: int) -> None:
    shape = (channels, 4 * rows, 4 * columns)
    model = build(name, shape).eval()
    image = torch.rand(count, *shape)
    with torch.no_grad():
        outputs = model(image)
        assert check_columns(Autoencoder.outputs, outputs, name) == dict(zip("NCHWK", (count, *shape, 5), strict=True))
        assert torch.allclose(model.decode(outputs["code"]), outputs["image"], atol=1e-6)
        assert torch.equal(model(image)["image"], outputs["image"])  # nothing random outside training
    if name != "linear":
        assert outputs["image"].min() >= 0 and outputs["image"].max() <= 1


@pytest.mark.parametrize("name", ["convolutional", "denoising", "variational"])
def test_sides_that_do_not_fit_are_named(name: str) -> None:
    with pytest.raises(UsageError, match="images of 28x30: convolutional models need sides that are multiples of 4"):
        build(name, (1, 30, 28))


@pytest.mark.parametrize("name", MODELS)
def test_it_learns(name: str) -> None:
    model = build(name, (1, 8, 8))
    image = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0)).round()
    optimizer = torch.optim.AdamW(model.parameters(), 0.02, weight_decay=0.0)
    errors = []
    for _ in range(80):
        error = (model(image)["image"] - image).square().mean()
        error.backward()
        optimizer.step()
        optimizer.zero_grad()
        errors.append(float(error.detach()))
    assert errors[-1] < 0.75 * min(errors[0], 0.25)
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_the_linear_one_begins_as_a_projection() -> None:
    model = build("linear", (1, 8, 8))
    weight = model.encoder.weight.detach()
    assert torch.allclose(weight @ weight.T, torch.eye(5), atol=1e-5)
    once = model(torch.rand(4, 1, 8, 8))["image"]
    assert torch.allclose(model(once)["image"], once, atol=1e-5)


@pytest.mark.parametrize(("noise", "mask"), [(0.5, 0.0), (0.0, 0.3), (0.5, 0.3)])
def test_what_is_corrupted(noise: float, mask: float) -> None:
    model = build("denoising", (3, 32, 32), noise=noise, mask=mask)
    image = torch.rand(50, 3, 32, 32) * 0.5 + 0.25
    seen = model.corrupted(image)
    dark = (seen == 0).all(1)
    assert float(dark.float().mean()) == pytest.approx(mask, abs=0.02)
    assert float((seen - image)[~dark[:, None].expand_as(seen)].std()) == pytest.approx(noise, abs=0.01)
    assert not torch.equal(model.corrupted(image), seen)
    model.eval()
    assert torch.equal(model.corrupted(image), model.corrupted(image))


def test_corruption_is_for_training_alone_and_draws_from_torchs_generator() -> None:
    model = build("denoising")
    image = torch.rand(4, 1, 28, 28)
    torch.manual_seed(1)
    first = model(image)["code"]
    assert not torch.equal(model(image)["code"], first)
    torch.manual_seed(1)
    assert torch.equal(model(image)["code"], first)
    before = torch.get_rng_state()
    model.eval()
    model(image), model.corrupted(image)
    assert torch.equal(torch.get_rng_state(), before)


def test_nothing_to_restore_is_refused() -> None:
    with pytest.raises(ValueError, match="must not both be 0"):
        DenoisingConfig(noise=0, mask=0)


@given(seed=st.integers(0, 99), reach=st.integers(1, 5))
def test_images_are_moved_and_black_comes_in(seed: int, reach: int) -> None:
    import numpy as np

    image: Tensor = torch.rand(3, 2, 9, 7, generator=torch.Generator().manual_seed(seed))
    augment = Shift(reach)
    drawn = augment.draw(np.random.default_rng(seed), 3)["shift"]
    assert np.abs(drawn).max() <= reach
    moved = augment.apply({"image": image}, {"shift": torch.from_numpy(drawn)})["image"]
    for before, after, (down, right) in zip(image, moved, drawn.tolist(), strict=True):
        expected = torch.zeros_like(before)
        for y in range(9):
            for x in range(7):
                if 0 <= y - down < 9 and 0 <= x - right < 7:
                    expected[:, y, x] = before[:, y - down, x - right]
        assert torch.equal(after, expected)
