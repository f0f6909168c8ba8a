"""Models keep the task's contract, their boxes are in pixels of the image, and backbones start from local weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from dlkit.data.context import Context
from dlkit.data.weights import Origins, coming_from, embedded_weights, restoring
from dlkit.errors import DataError, UsageError
from dlkit.nn.frozen import frozen_names
from dlkit.task import check_columns
from dlkit_detection.info import DetectionInfo
from dlkit_detection.models.backbone import FromTorchvision, Own
from dlkit_detection.models.grid import Grid
from dlkit_detection.models.pyramid import Pyramid
from dlkit_detection.options import GridLenetConfig, GridReluConfig, GridWideConfig, PyramidConfig
from dlkit_detection.places import NEEDED
from dlkit_detection.task import Detection

SMALL = {"widths": [4, 8, 8, 8], "neck": 8, "head": 1}


def info(shape: tuple[int, int, int] = (1, 48, 60), classes: int = 3) -> DetectionInfo:
    ones = np.full(shape[0], 0.5, np.float32)
    return DetectionInfo(classes=[str(i) for i in range(classes)], shape=shape, mean=ones, std=ones)


@pytest.mark.parametrize("config", [GridLenetConfig(), GridReluConfig(), GridWideConfig(), GridReluConfig(grid=(6, 8))])
def test_a_grid_has_its_cells_and_its_boxes_are_pixels(config: GridLenetConfig) -> None:
    model = Grid(config, info())
    outputs = model.eval()(torch.randn(2, 1, 48, 60))
    sizes = check_columns(Detection.outputs, outputs, "grid")  # type: ignore[arg-type]
    assert sizes["A"] == config.grid[0] * config.grid[1] and sizes["classes"] == 3
    assert set(NEEDED) <= set(outputs)
    with torch.no_grad():
        model.last.weight.zero_()
        model.last.bias.zero_()  # type: ignore[union-attr]
    cell = torch.tensor([60 / config.grid[1], 48 / config.grid[0]])
    first, *_, last = model(torch.randn(1, 1, 48, 60))["boxes"][0]
    assert torch.allclose(first, torch.tensor([0, 0, *cell])) and torch.allclose(last[2:], torch.tensor([60.0, 48.0]))


def test_a_grid_finer_than_what_is_left_is_refused() -> None:
    with pytest.raises(UsageError, match=r"model.grid = \[20, 20\]: of images of 48x60 .* leave 9x12 cells at most"):
        Grid(GridLenetConfig(grid=(20, 20)), info())
    with pytest.raises(UsageError, match="leave 0x0 cells"):
        Grid(GridLenetConfig(), info((1, 10, 10)))


@pytest.mark.parametrize("shape", [(1, 48, 60), (3, 37, 61)])
@pytest.mark.parametrize("strides", [[4], [4, 8], [8, 16]])
def test_a_pyramid_has_points_on_every_level(shape: tuple[int, int, int], strides: list[int]) -> None:
    model = Pyramid(PyramidConfig(strides=strides, **SMALL), info(shape)).eval()
    outputs = model(torch.randn(2, *shape))
    sizes = check_columns(Detection.outputs, outputs, "pyramid")  # type: ignore[arg-type]
    assert sizes["A"] == sum(-(-shape[1] // s) * -(-shape[2] // s) for s in strides)
    assert set(NEEDED) <= set(outputs) and outputs["quality"].shape == outputs["presence"].shape
    assert set(outputs["places"][:, 2].tolist()) == set(map(float, strides))
    boxes = outputs["boxes"]
    assert (boxes[..., 2:] > boxes[..., :2]).all()
    scores = outputs["scores"]
    assert (scores >= 0).all() and (scores.sum(2) <= 1 + 1e-5).all()
    assert float(scores.detach().sum(2).mean()) < 0.2  # untrained, it presumes little


def test_every_parameter_is_trained() -> None:
    """Several processes could not train a model that has others: DistributedDataParallel refuses it."""
    for strides in ([4], [8], [4, 16]):
        model = Pyramid(PyramidConfig(strides=strides, **SMALL), info())  # type: ignore[arg-type]
        outputs = model(torch.randn(2, 1, 48, 60))
        sum(outputs[key].sum() for key in ("boxes", "presence", "classes", "quality")).backward()  # type: ignore[union-attr]
        assert [name for name, p in model.named_parameters() if p.grad is None] == []


def test_levels_share_all_sizes_between_them() -> None:
    model = Pyramid(PyramidConfig(strides=[4, 8, 16], reach=3.0, **SMALL), info()).eval()
    places = model(torch.randn(1, 1, 48, 60))["places"]
    limits = sorted({tuple(row) for row in places[:, 4:].tolist()})
    assert limits == [(0, 12), (12, 24), (24, float("inf"))]


def test_answers_are_computed_in_full_precision_under_autocast() -> None:
    for model in (Pyramid(PyramidConfig(**SMALL), info()), Grid(GridReluConfig(), info())):
        with torch.autocast("cpu", torch.bfloat16):
            outputs = model.eval()(torch.randn(1, 1, 48, 60))
        assert {value.dtype for value in outputs.values()} == {torch.float32}


@pytest.mark.parametrize(
    "options",
    [
        {"strides": [8, 4]},
        {"strides": [3]},
        {"widths": [8, 8]},
        {"weights": "w.safetensors"},
        {"backbone": "resnet18", "freeze": True},
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PyramidConfig(**options)
    assert PyramidConfig(backbone="resnet18", weights="w.safetensors").weights == str(Path("w.safetensors").absolute())


def test_strides_that_a_backbone_lacks_are_refused() -> None:
    with pytest.raises(UsageError, match=r"model.strides = \[4, 64\]: the backbone's maps have \[2, 4, 8, 16\]"):
        Pyramid(PyramidConfig(strides=[4, 64]), info())
    with pytest.raises(UsageError, match="grey or RGB images, not 2 channels"):
        Pyramid(PyramidConfig(backbone="squeezenet1_1"), info((2, 64, 64)))


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v3_small", "resnet18"])
@pytest.mark.parametrize("channels", [1, 3])
def test_torchvisions_backbones_give_maps_of_known_strides(name: Any, channels: int) -> None:
    model = FromTorchvision(PyramidConfig(backbone=name), info((channels, 96, 96))).eval()
    maps = model(torch.randn(1, channels, 96, 96))
    assert [features.shape[1] for features in maps] == model.channels
    assert {8, 16} <= set(model.strides)
    for features, stride in zip(maps, model.strides, strict=True):
        assert abs(features.shape[2] - 96 / stride) <= 1.5


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """torchvision's own file of an untrained SqueezeNet, in half precision."""
    import torchvision

    state = torchvision.models.get_model("squeezenet1_1", weights=None).state_dict()
    save_file({name: tensor.half() for name, tensor in state.items()}, tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def test_a_backbone_starts_from_local_weights(weights: Path) -> None:
    from safetensors.torch import load_file

    config = PyramidConfig(backbone="squeezenet1_1", weights=str(weights), strides=[8, 16], freeze=True)
    model = Pyramid(config, info((3, 64, 64)))
    stored = load_file(weights)["features.0.weight"].float()
    assert torch.equal(model.backbone.features[0].weight, stored)  # type: ignore[union-attr,index]
    assert not any(p.requires_grad for p in model.backbone.parameters())
    assert all(p.requires_grad for p in model.head.parameters())
    assert not model.train().backbone.training and model.head.training
    outputs = model(torch.randn(2, 3, 64, 64))
    sum(value.sum() for key, value in outputs.items() if key != "places").backward()  # type: ignore[union-attr]
    assert all(p.grad is None for p in model.backbone.parameters())


def test_weights_of_a_resnet_find_their_layers(tmp_path: Path) -> None:
    import torchvision

    whole = torchvision.models.get_model("resnet18", weights=None)
    save_file(whole.state_dict(), tmp_path / "r.safetensors")
    config = PyramidConfig(backbone="resnet18", weights=str(tmp_path / "r.safetensors"))
    model = FromTorchvision(config, info((3, 64, 64))).eval()
    image = torch.randn(1, 3, 64, 64)
    expected = whole.eval().maxpool(whole.relu(whole.bn1(whole.conv1(image * model.scale + model.shift))))
    for layer in (whole.layer1, whole.layer2, whole.layer3, whole.layer4):
        expected = layer(expected)
    torch.testing.assert_close(model(image)[-1], expected)


def test_a_missing_or_foreign_file_of_weights_is_named_and_not_needed_again(weights: Path, tmp_path: Path) -> None:
    absent = PyramidConfig(backbone="squeezenet1_1", weights=str(tmp_path / "absent.safetensors"), strides=[8])
    with pytest.raises(DataError, match=r"absent\.safetensors: not a readable"):
        Pyramid(absent, info((3, 64, 64)))
    with restoring():
        Pyramid(absent, info((3, 64, 64)))
    foreign = PyramidConfig(backbone="resnet18", weights=str(weights))
    with pytest.raises(
        DataError, match=r"w\.safetensors: holds the weights of another network: no features\.0\.weight"
    ):
        Pyramid(foreign, info((3, 64, 64)))
    (tmp_path / "text.safetensors").write_text("text")
    with pytest.raises(DataError, match=r"text\.safetensors: not a readable"):
        Pyramid(absent.model_copy(update={"weights": str(tmp_path / "text.safetensors")}), info((3, 64, 64)))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_embedded_backbone_begins_with_its_weights(channels: int) -> None:
    weights = embedded_weights()
    assert weights is not None
    model = Pyramid(PyramidConfig(backbone="embedded", strides=[8, 16]), info((channels, 64, 64)))
    own = model.backbone.state_dict()
    assert all(torch.equal(own[name], weights[name]) for name in own if not name.endswith("tracked"))
    assert model.backbone.strides == [2, 4, 8, 16] and all(p.requires_grad for p in model.parameters())
    plain = Own(3, [32, 64, 128, 160], [0, 1, 1, 1])
    plain.load_state_dict(own)
    image = torch.randn(2, channels, 64, 64)
    seen = image * model.backbone.scale + model.backbone.shift  # type: ignore[operator]
    found, expected = model.backbone.eval()(image), plain.eval()(seen)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    frozen = Pyramid(PyramidConfig(backbone="embedded", freeze=True), info((channels, 64, 64)))
    assert frozen_names(frozen) == {f"backbone.{name}" for name in own}


def test_a_backbone_starts_from_a_detectors_or_a_classifiers_run() -> None:
    trained = {name: torch.randn_like(t) if t.is_floating_point() else t for name, t in Own(
        3, [32, 64, 128, 160], [0, 1, 1, 1]).state_dict().items()}  # fmt: skip
    runs = {"detector": "backbone.", "classifier": "body."}

    def of_run(reference: str) -> dict[str, torch.Tensor]:
        other = {"head.weight": torch.zeros(1)}
        return {**other, **{runs[reference] + name: tensor for name, tensor in trained.items()}}

    with coming_from(Origins(Context(Path("data"), offline=True), of_run)):
        for run in runs:
            model = Pyramid(PyramidConfig(backbone="embedded", weights=run), info((3, 64, 64)))
            assert torch.equal(model.backbone.state_dict()["stages.3.0.0.weight"], trained["stages.3.0.0.weight"])


def test_muon_leaves_the_pyramids_answers_to_adamw() -> None:
    model = Pyramid(PyramidConfig(widths=[4, 4, 8], blocks=[0, 0, 0], neck=8, head=1), info())
    hidden = {id(p) for p in model.hidden_matrices()}
    left = {name for name, p in model.named_parameters() if p.dim() > 1 and id(p) not in hidden}
    assert left == {"head.objects.weight", "head.boxes.weight"}
