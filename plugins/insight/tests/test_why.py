"""Why a model says what it says: heat that lies where a known network looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import Field
from torch import Tensor, nn

import dlkit
from dlkit.cli.main import main
from dlkit.data.splits import TensorSplit
from dlkit.errors import UsageError
from dlkit.image_predictor import Normalised
from dlkit.samples import Images
from dlkit.task import Array, Column, Info, Task
from dlkit_insight.options import GradCamConfig, OcclusionConfig, SaliencyConfig
from dlkit_insight.pictures import blurred, heat, overlaid, resized, scaled, signed
from dlkit_insight.why import AnyWhy, GradCam, Occlusion, Saliency

SIDE = 24
BOX = (14, 4, 20, 10)
"""Columns and rows, from and to, of what the network looks at."""


class LookInfo(Info):
    """Images and how they are encoded."""

    shape: tuple[int, int, int] = Field(description="c, h, w")
    mean: Array = Field(description="[C]")
    std: Array = Field(description="[C]")
    fit: str = Field("crop", description="fit")


class Look(Task[LookInfo]):
    Info = LookInfo
    batch = {"image": Column("float32[N,C,H,W]")}
    inputs = ("image",)
    outputs = Column("float32[N,classes]")

    def metrics(self, info: LookInfo) -> Any:
        raise NotImplementedError

    def scores(self, outputs: Tensor, info: LookInfo) -> dict[str, Tensor]:
        return {"there": outputs[:, 0], "elsewhere": outputs[:, 1]}


class Silent(Look):
    def scores(self, outputs: Tensor, info: LookInfo) -> dict[str, Tensor]:
        return {}


class OneCorner(nn.Module):
    """How bright the image is within the box, and how bright everywhere else."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(inplace=inplace))
        nn.init.constant_(self.features[0].weight, 1 / 9)
        nn.init.zeros_(self.features[0].bias)
        mask = torch.zeros(SIDE, SIDE)
        mask[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 1
        self.register_buffer("mask", mask)
        self.unused = nn.Conv2d(2, 1, 3)

    def forward(self, image: Tensor) -> Tensor:
        found, mask = self.features(image).sum(1), self.mask
        self.unused(self.features(image))  # a map that no score depends on
        return torch.stack([(found * mask).mean((1, 2)), (found * (1 - mask)).mean((1, 2)) - 1], 1)


def info(**shape: Any) -> LookInfo:
    return LookInfo(shape=shape.get("shape", (1, SIDE, SIDE)), mean=np.zeros(1, np.float32), std=np.ones(1, np.float32))


def asked(which: str, model: nn.Module | None = None, **options: Any) -> AnyWhy:
    kind, config = {
        "saliency": (Saliency, SaliencyConfig),
        "grad-cam": (GradCam, GradCamConfig),
        "occlusion": (Occlusion, OcclusionConfig),
    }[which]
    found: AnyWhy = kind(model or OneCorner(), info(), config(**options))  # type: ignore[arg-type]
    found.task = Look()
    return found


def inside(peak: tuple[float, float]) -> bool:
    """By a pixel: a patch covers what is beside it too."""
    return BOX[0] - 1 <= peak[0] <= BOX[2] + 1 and BOX[1] - 1 <= peak[1] <= BOX[3] + 1


WAYS = [
    ("saliency", {}),
    ("grad-cam", {}),
    ("grad-cam", {"layer": "features.0"}),
    ("occlusion", {}),
    ("occlusion", {"patch": 3, "stride": 3}),
]


@pytest.fixture
def images() -> Tensor:
    found = torch.rand(3, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) + 0.2
    found[:, :, BOX[1] : BOX[3], BOX[0] : BOX[2]] += 3
    return found


@pytest.mark.parametrize(("which", "options"), WAYS)
@pytest.mark.parametrize("inplace", [False, True])
def test_the_heat_lies_where_the_network_looks(
    which: str, options: dict[str, Any], inplace: bool, images: Tensor
) -> None:
    for found in asked(which, OneCorner(inplace), target="there", **options).explain(images):
        assert found.of == "there" and inside(found.peak)
        assert found.heat.shape == (SIDE, SIDE) and found.heat.min() >= 0 and found.heat.max() == pytest.approx(1)
        rows, columns = slice(BOX[1] - 3, BOX[3] + 3), slice(BOX[0] - 3, BOX[2] + 3)
        assert found.heat[rows, columns].sum() > 0.8 * found.heat.sum()


@pytest.mark.parametrize(("which", "options"), WAYS)
def test_asking_changes_nothing_of_the_model(which: str, options: dict[str, Any], images: Tensor) -> None:
    model = OneCorner().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = asked(which, model, **options).explain(images)
    assert model.training and all(parameter.grad is None for parameter in model.parameters())
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())
    again = asked(which, model, **options).explain(images)
    assert all((a.heat == b.heat).all() for a, b in zip(first, again, strict=True)), (
        "the same question, the same answer"
    )


def test_the_surest_is_asked_about_unless_somebody_says_otherwise() -> None:
    dark, bright = torch.zeros(1, 1, SIDE, SIDE), torch.full((1, 1, SIDE, SIDE), 9.0)
    found = asked("saliency").explain(torch.cat([dark, bright]))
    assert [one.of for one in found] == ["there", "elsewhere"]
    with pytest.raises(UsageError, match=r"inference\.target = 'their': no such score; did you mean 'there'\?"):
        asked("saliency", target="their").explain(dark)


def test_a_layer_that_is_not_there_or_has_no_map_is_named(images: Tensor) -> None:
    with pytest.raises(UsageError, match=r"'features\.2': no such layer; did you mean 'features\.1@2'\?"):
        asked("grad-cam", layer="features.2").explain(images)


def test_covering_loses_what_was_there(images: Tensor) -> None:
    """By hand: the score of an image whose patch has the mean colour."""
    model, image = OneCorner(), images[:1]
    found = asked("occlusion", model, target="there", patch=SIDE, stride=SIDE).heat(image, ["there"])
    with torch.no_grad():
        lost = model(image)[0, 0] - model(image.mean().expand_as(image))[0, 0]
    assert found.shape == (1, SIDE, SIDE) and torch.allclose(found, lost.expand_as(found), atol=1e-5)


def test_saliency_of_one_copy_is_the_gradient(images: Tensor) -> None:
    image = images[:1].clone().requires_grad_()
    model = OneCorner().eval()
    (gradient,) = torch.autograd.grad(model(image)[0, 0], image)
    assert asked("saliency", model, smooth=1).heat(images[:1], ["there"]).equal(gradient.abs()[:, 0])


def test_what_is_needed_is_said() -> None:
    class Opaque(OneCorner):
        def forward(self, image: Tensor) -> Tensor:
            return super().forward(image).detach()

    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 2))

        def forward(self, image: Tensor) -> Tensor:
            return self.net(image)

    class Table(Look):
        inputs = ("row",)

    assert not any(kind.lacks(Look(), OneCorner(), info()) for kind in (Saliency, GradCam, Occlusion))
    assert Saliency.lacks(Look(), Opaque(), info()) == "it follows gradients, and the model gives none"
    assert GradCam.lacks(Look(), Dense(), info()) == "it needs a convolution, and the model has none"
    assert not Saliency.lacks(Look(), Dense(), info()) and not Occlusion.lacks(Look(), Opaque(), info())
    assert "are given row" in Occlusion.lacks(Table(), OneCorner(), info())
    assert "does not say which" in Occlusion.lacks(Silent(), OneCorner(), info())
    assert "info lacks shape and fit" in Saliency.lacks(Look(), OneCorner(), Info())


@pytest.mark.parametrize("which", ["saliency", "grad-cam", "occlusion"])
def test_pictures_of_files_and_of_the_validation_split(which: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    predictor = asked(which)
    (answer,) = predictor(str(tmp_path / "a.png"))
    assert answer["file"].endswith("a.png") and all(0 <= share <= 1 for share in answer["peak"])
    assert predictor.draw(tmp_path / "a.png", answer).width > 2 * 240
    (shown,) = predictor.show([pixels], [answer])
    (sampled,) = predictor.samples(4, np.random.default_rng(0), TensorSplit({"image": torch.rand(9, 1, SIDE, SIDE)}))
    for sample, count in ((shown, 1), (sampled, 4)):
        assert isinstance(sample, Images)
        sample.check()
        assert sample.images.shape == (2 * count, SIDE, SIDE, 3)
    assert isinstance(predictor.info, Normalised)


@pytest.mark.parametrize("fit", ["crop", "letterbox"])
def test_heat_lies_over_the_photograph_where_the_model_saw_it(fit: str) -> None:
    """A wide photograph: of a crop its sides are not seen, in a letter-box all of it is, between two black bars."""
    predictor = asked("occlusion")
    predictor.info = predictor.info.model_copy(update={"fit": fit})
    heat = np.zeros((SIDE, SIDE), np.float32)
    x, y = 15, 13
    heat[y, x] = 1.0
    found = predictor._over(heat, np.zeros((48, 96, 3), np.uint8))
    assert found.shape == (48, 96)
    row, column = (int(place) for place in np.unravel_index(int(found.argmax()), found.shape))
    if fit == "crop":  # twice as large, its middle half of the width
        assert abs(column - (24 + 2 * x)) <= 2 and abs(row - 2 * y) <= 2
        assert not found[:, :24].any() and not found[:, 72:].any()
    else:  # four times as large, its rows from 6 on
        assert abs(column - 4 * x) <= 4 and abs(row - 4 * (y - 6)) <= 4


def test_a_run_is_asked_why_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = ["--workspace", str(tmp_path)]
    cnn = dlkit.train("classification", model="cnn", steps=2, workspace=tmp_path)
    for name in ("saliency", "grad-cam", "occlusion"):
        assert main(["sample", cnn.id, "--inference", name, "-n", "2", "--json", *workspace]) == 0
    mlp = dlkit.train("classification", model="mlp", steps=2, workspace=tmp_path)
    capsys.readouterr()
    assert main(["sample", mlp.id, "--inference", "grad-cam", *workspace]) == 2
    assert "inference 'grad-cam' cannot ask model 'mlp'" in capsys.readouterr().err


def test_maps_as_pictures() -> None:
    assert signed(np.array([-1.0, 0, 1], np.float32)).tolist() == [[33, 102, 172], [247, 247, 247], [178, 24, 43]]
    assert heat(np.array([0.0, 1], np.float32)).tolist() == [[0, 0, 4], [252, 255, 164]]
    grey = np.full((4, 4), 90, np.uint8)
    assert (overlaid(grey, np.zeros((4, 4), np.float32)) == 90).all(), "where there is no heat the picture shows"
    assert resized(np.ones((2, 3), np.float32), 5, 7).shape == (5, 7)
    assert scaled(np.zeros((2, 2), np.float32)).max() == 0
    spot = np.zeros((15, 21), np.float32)
    spot[7, 10] = 1
    soft = blurred(spot, 2.0)
    assert soft.sum() == pytest.approx(1, abs=1e-5) and soft.argmax() == spot.argmax() and (soft == soft[::-1]).all()
