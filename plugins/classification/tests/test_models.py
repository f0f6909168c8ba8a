"""Every model takes every data set's images, and the whitening stem whitens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import nn

from dlkit.config import Config
from dlkit.data.splits import TensorSplit
from dlkit.errors import UsageError
from dlkit.task import check_columns
from dlkit_classification import models, resnet
from dlkit_classification.info import ClassificationInfo
from dlkit_classification.losses import cross_entropy
from dlkit_classification.options import CnnConfig, CrossEntropyConfig, Init, MlpConfig, ResnetConfig
from dlkit_classification.patches import patch_covariance
from dlkit_classification.task import Classification

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 20, 33), (3, 4, 5)]


def info_of(shape: tuple[int, int, int], classes: int = 7) -> ClassificationInfo:
    images = torch.from_numpy(np.random.default_rng(0).normal(size=(50, *shape)).astype(np.float32))
    split = TensorSplit({"image": images, "label": torch.zeros(50, dtype=torch.int64)})
    ones = np.ones(shape[0], np.float32)
    names = [f"c{i}" for i in range(classes)]
    return ClassificationInfo(classes=names, shape=shape, mean=ones, std=ones, patches=patch_covariance(split))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("build", "config"),
    [
        (models.mlp, MlpConfig(hidden=[9, 8], dropout=0.2, activation="gelu")),
        (models.mlp, MlpConfig(hidden=[])),
        (models.cnn, CnnConfig()),
        (models.cnn, CnnConfig(channels=[6, 8], kernel=5, batch_norm=True)),
        (models.cnn, CnnConfig(channels=[6], hidden=[9, 8, 7], init="kaiming")),
        (models.cnn, CnnConfig(channels=[4, 6], hidden=[])),
        (resnet.build, ResnetConfig(widths=[8, 12], blocks=[0, 1])),
        (resnet.build, ResnetConfig(widths=[8, 8, 8, 8, 8, 8], blocks=[1] * 6, whiten=False, pooling="mean")),
        (resnet.build, ResnetConfig(stem_stride=2, stem_width=20, widths=[8, 8], blocks=[1, 1], block_convolutions=1)),
    ],
)
def test_outputs_are_as_the_task_declares(shape: tuple[int, int, int], build: object, config: Config) -> None:
    info = info_of(shape)
    model = build(config, info)  # type: ignore[operator]
    outputs = model(torch.randn(3, *shape))
    assert check_columns({"outputs": Classification.outputs}, {"outputs": outputs}, "model")["classes"] == 7
    cross_entropy(CrossEntropyConfig(), info)(outputs, {"label": torch.tensor([0, 1, 2])})["loss"].backward()
    trained = [p for p in model.parameters() if p.requires_grad]
    assert trained and all(p.grad is not None for p in trained)


def test_a_network_of_any_depth_has_the_layers_that_are_said() -> None:
    config = CnnConfig(channels=[4, 6, 8], hidden=[20, 10], dense_dropout=0)
    kinds = [type(layer).__name__ for layer in models.cnn(config, info_of((3, 32, 32)))]  # type: ignore[arg-type]
    assert kinds == ["Conv2d", "ReLU", "MaxPool2d"] * 3 + ["Dropout", "Flatten"] + ["Linear", "ReLU", "Dropout"] * 2 + [
        "Linear"
    ]


def test_the_course_s_network_keeps_the_names_and_the_start_that_checkpoints_have() -> None:
    torch.manual_seed(0)
    named = models.cnn(CnnConfig.model_validate({"channels": [2, 4], "hidden": 6}), info_of((1, 8, 8))).state_dict()
    assert list(named) == [f"{place}.{part}" for place in (0, 3, 8, 11) for part in ("weight", "bias")]
    torch.manual_seed(0)
    assert torch.equal(named["0.weight"], nn.Conv2d(1, 2, 3, padding=1).weight)


@pytest.mark.parametrize("build", [models.mlp, models.cnn])
@pytest.mark.parametrize("how", ["zeros", "ones", "uniform", "general", "normal", "xavier", "kaiming"])
def test_weights_start_as_they_are_told_to(build: Callable[..., nn.Module], how: Init) -> None:
    config = CnnConfig(hidden=[600], init=how) if build is models.cnn else MlpConfig(hidden=[600], init=how)
    model = build(config, info_of((1, 28, 28)))
    dense = next(layer for layer in model.modules() if isinstance(layer, nn.Linear))
    weight, (units, inputs) = dense.weight.detach(), dense.weight.shape
    bound = {"uniform": 1.0, "general": inputs**-0.5, "xavier": (6 / (inputs + units)) ** 0.5}
    spread = {"normal": inputs**-0.5, "kaiming": (2 / inputs) ** 0.5}
    if how in bound:
        assert weight.abs().max() <= bound[how]
        assert weight.abs().mean().item() == pytest.approx(bound[how] / 2, rel=0.02)
        assert (weight.min() < 0) == (how != "uniform")
    elif how in spread:
        assert weight.std().item() == pytest.approx(spread[how], rel=0.02)
    else:
        assert (weight == {"zeros": 0, "ones": 1}[how]).all()
    biases = [layer.bias for layer in model.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
    assert not any(bias.any() for bias in biases if bias is not None)


def test_smoothed_cross_entropy_is_as_defined() -> None:
    logits, label = torch.randn(5, 4, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0])
    target = 0.9 * F.one_hot(label, 4) + 0.1 / 4
    found = cross_entropy(CrossEntropyConfig(label_smoothing=0.1), None)(logits, {"label": label})
    assert torch.allclose(found["loss"], -(target * logits.log_softmax(1)).sum(1).mean())


def test_the_stem_whitens_patches() -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(400, 3, 8, 8, generator=generator)
    images = F.avg_pool2d(noise, 3, 1, 1) * torch.tensor([1.0, 3.0, 9.0])[:, None, None]  # neighbours alike
    covariance = patch_covariance(TensorSplit({"image": images, "label": torch.zeros(400)}))
    filters = resnet.whitening_filters(torch.from_numpy(covariance), 8)
    patches = F.unfold(images, 3, stride=2).transpose(0, 1).flatten(1)
    outputs = filters @ patches
    assert torch.allclose(outputs @ outputs.T / outputs.shape[1], torch.eye(8), atol=0.05)


def test_a_whitening_stem_is_not_trained() -> None:
    info = info_of((3, 8, 8))
    one, other = (resnet.build(ResnetConfig(stem_width=32), info) for _ in range(2))
    stem = [part.stem[0] for part in (one, other)]  # type: ignore[union-attr, index]
    assert all(isinstance(part, nn.Conv2d) and not part.weight.requires_grad for part in stem)
    weight = stem[0].weight
    assert torch.equal(weight, stem[1].weight) and torch.equal(weight[:16], -weight[16:])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match=r"3x8 pixels are too small .* model\.pad = true"):
        models.cnn(CnnConfig(), info_of((1, 3, 8)))
    with pytest.raises(UsageError, match=r"too small for model cnn with 4 convolutions, .*model\.channels"):
        models.cnn(CnnConfig(channels=[2] * 4), info_of((1, 8, 8)))
    with pytest.raises(UsageError, match=r"model\.kernel = 5, model\.pad = false"):
        models.cnn(CnnConfig(kernel=5, pad=False), info_of((1, 8, 8)))
    assert models.cnn(CnnConfig(kernel=5, pad=False), info_of((1, 28, 28)))(torch.zeros(1, 1, 28, 28)).shape == (1, 7)
    without = info_of((1, 8, 8)).model_copy(update={"patches": None})
    with pytest.raises(UsageError, match=r"model\.whiten = true"):
        resnet.build(ResnetConfig(), without)
    with pytest.raises(ValidationError, match="one entry a stage"):
        ResnetConfig(widths=[1, 2], blocks=[1])
    with pytest.raises(ValidationError, match="even stem_width"):
        ResnetConfig(stem_width=3)
