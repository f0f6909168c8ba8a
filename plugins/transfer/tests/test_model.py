"""The model: networks as blocks under their published names, what is frozen, and where weights come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from dlkit.data.weights import embedded_weights, restoring
from dlkit.errors import DataError, UsageError
from dlkit.nn.frozen import frozen_names
from dlkit_classification.info import ClassificationInfo
from dlkit_transfer.model import CHUNK, Pretrained
from dlkit_transfer.networks import embedded, of_torchvision, own_classes
from dlkit_transfer.options import PretrainedConfig

TORCHVISION = ["squeezenet1_1", "mobilenet_v3_small", "resnet18", "efficientnet_b0", "vgg16_bn"]


def info(shape: tuple[int, int, int] = (3, 64, 64)) -> ClassificationInfo:
    half = np.full(shape[0], 0.5, np.float32)
    return ClassificationInfo(classes=["a", "b", "c"], shape=shape, mean=half, std=half)


def model(**options: Any) -> Pretrained:
    torch.manual_seed(0)
    return Pretrained(PretrainedConfig(**options), info())


@pytest.mark.parametrize("name", TORCHVISION)
def test_blocks_one_after_the_other_are_the_network(name: str) -> None:
    import torchvision  # type: ignore[import-untyped]

    torch.manual_seed(0)
    whole = torchvision.models.get_model(name, weights=None).eval()
    body = of_torchvision(name).eval()
    missing, _ = body.load_state_dict(whole.state_dict(), strict=False)
    assert not missing, "names are those of published weights"
    image = torch.randn(2, 3, 96, 96)
    if hasattr(whole, "features"):
        expected = whole.features(image)
    else:
        layers = [whole.conv1, whole.bn1, whole.relu, whole.maxpool, whole.layer1, whole.layer2, whole.layer3]
        expected = nn.Sequential(*layers, whole.layer4)(image)
    assert torch.equal(body(image), expected)
    assert torch.equal(body(body(image, 0, 3), 3), expected)
    assert len(body.blocks) >= 5


@pytest.mark.parametrize("name", [*TORCHVISION, "convnext_tiny"])
def test_what_a_network_says_of_its_own_classes_is_what_the_whole_one_says(name: str) -> None:
    import torchvision

    torch.manual_seed(0)
    whole = torchvision.models.get_model(name, weights=None).eval()
    body, own = of_torchvision(name).eval(), own_classes(name, ["ants", "Bee", "daisies"])
    assert own is not None
    for part in (body, own.eval()):
        assert not part.load_state_dict(whole.state_dict(), strict=False).missing_keys
    image = torch.randn(2, 3, 64, 64)
    assert torch.equal(own(body(image)), whole(image)[:, [310, 309, 985]])


@pytest.mark.parametrize(
    ("classes", "columns"),
    [
        (["ants", "bees"], [310, 309]),
        (["ant", "thing"], None),
        (["ant", "ants"], None),
    ],
)
def test_classes_are_found_by_name_where_there_is_one_of_each(classes: list[str], columns: list[int] | None) -> None:
    found = own_classes("squeezenet1_1", classes)
    assert (found.columns if found else None) == columns


def saved(name: str, folder: Path) -> Path:
    """A file of random weights under torchvision's names."""
    import torchvision
    from safetensors.torch import save_file

    torch.manual_seed(0)
    file = folder / f"{name}.safetensors"
    save_file({key: tensor.clone() for key, tensor in torchvision.models.get_model(name).state_dict().items()}, file)
    return file


@pytest.mark.parametrize("unfreeze", [0, 2])
def test_the_head_adds_to_what_the_network_says_of_its_own_classes(unfreeze: int, tmp_path: Path) -> None:
    file = saved("squeezenet1_1", tmp_path)
    half = np.full(3, 0.5, np.float32)
    ants = ClassificationInfo(classes=["ants", "bees"], shape=(3, 64, 64), mean=half, std=half)
    config = PretrainedConfig(backbone="squeezenet1_1", weights=str(file), unfreeze=unfreeze, mirror=False)
    found = Pretrained(config, ants).eval()
    image = torch.randn(3, 3, 64, 64)
    assert found.own is not None
    own = found.own(found.body(image * found.scale + found.shift))
    torch.testing.assert_close(found(image), own, msg="the head begins with nothing")
    torch.testing.assert_close(found(None, found.fixed(image)), own)
    nn.init.ones_(found.head[-1].bias)
    torch.testing.assert_close(found(image), own + 1)
    assert {f"own.{key}" for key, _ in found.own.named_parameters()} <= frozen_names(found)
    alone = Pretrained(config.model_copy(update={"own_classes": False}), ants).eval()
    assert alone.own is None and not alone(image).any()


def test_a_file_without_the_network_s_classifier_is_refused_with_the_option_that_does_without(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = saved("squeezenet1_1", tmp_path)
    save_file({key: tensor for key, tensor in load_file(file).items() if "classifier" not in key}, file)
    half = np.full(3, 0.5, np.float32)
    ants = ClassificationInfo(classes=["ants", "bees"], shape=(3, 64, 64), mean=half, std=half)
    with pytest.raises(DataError, match=r"--model\.own-classes false"):
        Pretrained(PretrainedConfig(backbone="squeezenet1_1", weights=str(file)), ants)
    Pretrained(PretrainedConfig(backbone="squeezenet1_1", weights=str(file), own_classes=False), ants)


def test_weights_that_come_with_dlkit_fill_the_embedded_network() -> None:
    weights = embedded_weights()
    assert weights is not None
    assert torch.equal(model().body.state_dict()["stages.0.0.0.weight"], weights["stages.0.0.0.weight"])
    assert len(embedded().blocks) == 7


@pytest.mark.parametrize(("unfreeze", "trained"), [(None, 0), (0, 0), (2, 2), (7, 7)])
def test_all_is_frozen_but_the_head_and_the_last_blocks(unfreeze: int | None, trained: int) -> None:
    found = model(unfreeze=unfreeze)
    assert found.cut == 7 - trained
    names = {f"body.{name}" for name, _ in found.body.named_parameters()}
    frozen = {name for name, p in found.named_parameters() if not p.requires_grad}
    assert frozen == names & frozen_names(found) and (frozen == names) is (trained == 0)
    found(torch.randn(5, 3, 64, 64)).sum().backward()
    assert all((p.grad is None) == (name in frozen) for name, p in found.named_parameters())
    assert len(found.groups()) == 1 + trained


def test_from_scratch_everything_learns_at_one_rate() -> None:
    found = model(weights="none")
    assert not frozen_names(found) and all(p.requires_grad for p in found.parameters())
    assert len(found.groups()) == 1 and len(found.groups()[0]) == len(list(found.parameters()))
    assert all(m.training for m in found.body.modules())
    name = "stages.0.0.0.weight"
    assert not torch.equal(found.body.state_dict()[name], model().body.state_dict()[name])


@pytest.mark.parametrize("options", [{}, {"unfreeze": 2}, {"pooling": "mean"}, {"size": 32}, {"mirror": False}])
def test_features_in_the_place_of_images_give_the_same_bits(options: dict[str, Any]) -> None:
    found = model(**options)
    nn.init.normal_(found.head[-1].weight)  # type: ignore[arg-type]
    images = torch.randn(CHUNK + 7, 3, 64, 64)
    with torch.no_grad():
        features = found.fixed(images)
        some = torch.tensor([38, 3, CHUNK, 1])  # of several chunks, at other places
        assert torch.equal(found(images[some]), found(None, features[some]))
        found.eval()
        asked = found.both(images) if found.config.mirror else features
        assert torch.equal(found(images[some]), found(None, asked[some]))
        mirrored = torch.allclose(found(images[some]), found(images[some].flip(3)), atol=1e-5)
    assert mirrored is found.config.mirror


def test_images_get_the_normalisation_that_the_network_knows() -> None:
    found = Pretrained(PretrainedConfig(), info((1, 64, 64)))
    grey = torch.full((1, 1, 64, 64), (100 / 255 - 0.5) / 0.5)
    expected = (100 / 255 - torch.tensor(found.body.mean)) / torch.tensor(found.body.std)
    assert torch.allclose((grey * found.scale + found.shift)[0, :, 0, 0], expected, atol=1e-6)
    assert found.eval()(grey).shape == (1, 3)


def test_a_file_of_weights_fills_torchvisions_network(squeezenet: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    options = {"backbone": "squeezenet1_1", "weights": str(squeezenet)}
    stored = load_file(squeezenet)["features.0.weight"].float()
    assert torch.equal(model(**options).body.state_dict()["features.0.weight"], stored)
    with pytest.raises(DataError, match="holds the weights of another network: no stages"):
        model(weights=str(squeezenet))
    with pytest.raises(DataError, match=r"absent\.pth: not a readable \.pth file"):
        model(weights=str(tmp_path / "absent.pth"))
    with restoring():
        model(weights=str(tmp_path / "absent.pth"))


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(UsageError, match=r"model.unfreeze = 8: embedded has 7 blocks"):
        model(unfreeze=8)
    with pytest.raises(ValidationError, match="with weights = none all blocks learn"):
        PretrainedConfig(weights="none", unfreeze=1)
    with pytest.raises(UsageError, match="grey or RGB images, not 2 channels"):
        Pretrained(PretrainedConfig(), info((2, 64, 64)))
    with pytest.raises(UsageError, match=r"images of 8x8 pixels are too small for model.backbone = squeezenet1_1"):
        Pretrained(PretrainedConfig(backbone="squeezenet1_1", weights="none"), info((3, 8, 8)))
    with pytest.raises(UsageError, match="there is no workspace here to download into"):
        model(backbone="resnet18")
    with pytest.raises(UsageError, match="there are no runs here"):
        model(weights="last")
