"""Layers: maps, filters and the images that excite a channel, of a network whose layers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import dlkit
from dlkit.cli.main import main
from dlkit.data.splits import TensorSplit
from dlkit.errors import UsageError
from dlkit.samples import Images, Table
from dlkit.task import Array, Column, Info, Task
from dlkit_insight.layers import Layers
from dlkit_insight.options import LayersConfig

SIDE = 12


class SeenInfo(Info):
    """Images and how they are encoded."""

    shape: tuple[int, int, int] = (1, SIDE, SIDE)
    mean: Array = np.zeros(1, np.float32)
    std: Array = np.ones(1, np.float32)
    fit: str = "crop"


class Seen(Task[SeenInfo]):
    Info = SeenInfo
    batch = {"image": Column("float32[N,C,H,W]")}
    inputs = ("image",)
    outputs = Column("float32[N,classes]")

    def metrics(self, info: SeenInfo) -> Any:
        raise NotImplementedError


def network(inplace: bool = False) -> nn.Sequential:
    """The first channel is the image, the second its negative, the third nothing."""
    convolution = nn.Conv2d(1, 3, 3, padding=1, bias=False)
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[0, 0, 1, 1], convolution.weight[1, 0, 1, 1] = 1, -1
    return nn.Sequential(convolution, nn.ReLU(inplace=inplace), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(108, 2))


def layers(model: nn.Module | None = None, **options: Any) -> Layers:
    found = Layers(model or network(), SeenInfo(), LayersConfig(**options))
    found.task = Seen()
    return found


@pytest.fixture
def split() -> TensorSplit:
    """Images of one spot each, the brighter the higher their number."""
    images = torch.zeros(20, 1, SIDE, SIDE)
    images[torch.arange(20), 0, 3, 4] = torch.arange(20) / 20 + 0.02
    return TensorSplit({"image": images})


@pytest.mark.parametrize("inplace", [False, True])
def test_a_map_before_its_relu_is_another_than_after(inplace: bool) -> None:
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[3, 4] = 255
    (answer,) = layers(network(inplace))(pixels)
    before, after, pooled = answer["layers"]
    assert [t["kind"] for t in answer["layers"]] == ["Conv2d", "ReLU", "MaxPool2d"]
    assert before["mean"] == pytest.approx(0) and after["mean"] == pytest.approx(1 / (3 * SIDE * SIDE))
    assert (before["silent"], after["silent"]) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert (before["shape"], pooled["shape"]) == ([3, SIDE, SIDE], [3, 6, 6]) and pooled["greatest"] == 1


def test_samples_are_filters_maps_the_images_that_excite_most_and_a_table(split: TensorSplit) -> None:
    found = layers().samples(8, np.random.default_rng(0), split)
    for sample in found:
        sample.check()
    named = {sample.name: sample for sample in found}
    assert list(named) == ["filters-0", "map-0", "map-1", "map-2", "exciting", "layers"]
    filters, exciting, table = named["filters-0"], named["exciting"], named["layers"]
    assert isinstance(filters, Images) and isinstance(exciting, Images) and isinstance(table, Table)
    middle = filters.images.shape[1] // 2
    red, blue, none = filters.images[:, middle, middle].tolist()
    assert red[0] > red[2] and blue[2] > blue[0] and none == [247, 247, 247]
    assert exciting.captions[0] == "channel 0: 0.97" and exciting.images[0].max() > exciting.images[5].max()
    assert [row[1] for row in table.rows] == ["Conv2d", "ReLU", "MaxPool2d"]


def test_a_layer_and_a_channel_are_taken_by_name_and_number(split: TensorSplit) -> None:
    asked = layers(layer="0", channel=1, channels=2)
    named = {sample.name: sample for sample in asked.samples(8, np.random.default_rng(0), split)}
    assert list(named) == ["filters-0", "map-0", "exciting", "layers"]
    assert all(caption.startswith("channel 1:") for caption in named["exciting"].captions)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"inference\.layer = '11': no such layer; did you mean '1'"):
        layers(layer="11").samples(8, np.random.default_rng(0), split)
    with pytest.raises(UsageError, match=r"'4': gives no map"):
        layers(layer="4").samples(8, np.random.default_rng(0), split)
    with pytest.raises(UsageError, match=r"inference\.channel = 3: layer '0' has 0 to 2"):
        layers(layer="0", channel=3).samples(8, np.random.default_rng(0), split)


def test_what_has_no_maps_is_refused() -> None:
    dense = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 2))
    assert Layers.lacks(Seen(), dense, SeenInfo()) == "it looks at maps, and no layer of the model gives one"
    assert not Layers.lacks(Seen(), network(), SeenInfo())


def test_looking_changes_nothing(split: TensorSplit) -> None:
    model = network().train()
    before: dict[str, Tensor] = {name: value.clone() for name, value in model.state_dict().items()}
    layers(model).samples(8, np.random.default_rng(0), split)
    assert model.training and not any(module._forward_hooks for module in model.modules())
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())


@pytest.mark.slow
def test_runs_of_several_tasks_are_looked_into(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = ["--workspace", str(tmp_path)]
    Image.fromarray(np.zeros((30, 30), np.uint8)).save(tmp_path / "a.png")
    for task, model in (("classification", "cnn"), ("autoencoder", "convolutional")):
        run = dlkit.train(task, model=model, steps=0, workspace=tmp_path)
        out = tmp_path / task
        by = ["--inference", "layers", *workspace]
        assert main(["predict", run.id, str(tmp_path / "a.png"), "-o", str(out), *by]) == 0
        assert (out / "a.png").exists()
        assert main(["sample", run.id, "--json", *by]) == 0
    capsys.readouterr()
