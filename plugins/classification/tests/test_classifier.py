"""The predictor answers raw images from a checkpoint's ``info`` alone, and shows mistakes first."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from dlkit import samples
from dlkit.data.context import Context
from dlkit.data.splits import Data, TensorSplit
from dlkit.errors import DataError
from dlkit_classification.classifier import Classifier
from dlkit_classification.datasets import files
from dlkit_classification.info import ClassificationInfo
from dlkit_classification.metrics import PER_CLASS
from dlkit_classification.options import ClassifierConfig, FilesConfig
from dlkit_classification.preview import balance, grid
from dlkit_classification.task import Classification


class ByColour(nn.Module):
    """Logits are how blue, green and red an image is on the whole: right on the coloured images."""

    def forward(self, image: Tensor) -> Tensor:
        return image.mean((2, 3)).flip(1) * 4


class Constant(nn.Module):
    """The same logits for every image."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, image: Tensor) -> Tensor:
        return self.logits.expand(len(image), -1)


@pytest.fixture
def data(coloured: Callable[..., Path], context: Context) -> Data:
    return files.build(FilesConfig(path=str(coloured(red=20, green=20, blue=20)), size=16), context)


def predictor(data: Data, model: nn.Module | None = None, **options: Any) -> Classifier:
    info = ClassificationInfo.model_validate(data.info)
    return Classifier(model or ByColour(), info, ClassifierConfig(**options))


def test_a_file_is_answered_with_the_data_set_gone(data: Data, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "images")
    path = tmp_path / "ask me.png"
    Image.new("RGB", (50, 30), (200, 10, 10)).save(path)
    asked = predictor(data)
    (answer,) = asked.predict(asked.read([str(path)]))
    assert answer["class"] == "red" and answer["file"] == str(path)
    assert answer["top"][0] == ["red", answer["probability"]] and len(answer["top"]) == 3
    assert sum(p for _, p in answer["top"]) == pytest.approx(1, abs=1e-5)
    json.dumps(answer, allow_nan=False)


def test_every_form_of_one_image_has_one_answer(data: Data, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "i.png")
    forms = [tmp_path / "i.png", str(tmp_path / "i.png"), Image.fromarray(pixels), pixels, pixels.tolist()]
    answers = predictor(data).predict(forms)
    assert len({answer["probability"] for answer in answers}) == 1
    assert ["file" in answer for answer in answers] == [True, True, False, False, False]


def test_what_training_saw_is_what_a_file_becomes(coloured: Callable[..., Path], context: Context) -> None:
    """The validation split's images and the same files asked about are the same model inputs."""
    root = coloured("all/train", red=2, green=2).parent
    coloured("all/val", red=3, green=3)
    data = files.build(FilesConfig(path=str(root), size=16, fit="letterbox"), context)
    seen: list[Tensor] = []

    class Recorder(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            seen.append(image)
            return torch.zeros(len(image), 2)

    asked = predictor(data, Recorder())
    asked.predict(asked.read([str(root / "val")]))
    assert torch.equal(seen[0], data.val.take(torch.arange(6))["image"])


def test_inverted_and_grey(data: Data) -> None:
    cyan = np.broadcast_to(np.array([0, 255, 255], np.uint8), (16, 16, 3))
    assert predictor(data, invert=True).predict([cyan])[0]["class"] == "red"
    assert len(predictor(data, top=2).predict([np.zeros((9, 7), np.uint8)])[0]["top"]) == 2


def test_folders_are_read_and_what_cannot_be_is_named(data: Data, tmp_path: Path) -> None:
    asked = predictor(data)
    assert len(asked.read([str(tmp_path / "images"), str(tmp_path / "images" / "red" / "000.png")])) == 61
    with pytest.raises(DataError, match=r"absent\.png: no such file"):
        asked.read([str(tmp_path / "absent.png")])
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="none: holds no images"):
        asked.read([str(tmp_path / "none")])
    (tmp_path / "bad.png").write_text("text")
    with pytest.raises(DataError, match=r"bad\.png: not a readable image"):
        asked.predict(asked.read([str(tmp_path / "bad.png")]))
    for value in (np.zeros((4, 4)), np.zeros((2, 4, 4, 3), np.uint8), [[300]]):
        with pytest.raises(DataError, match="an image is uint8"):
            asked.predict([value])


def test_answers_are_shown(data: Data, tmp_path: Path) -> None:
    asked = predictor(data)
    inputs = asked.read([str(tmp_path / "images" / "green")])
    images, table = asked.show(inputs, asked.predict(inputs))
    assert isinstance(images, samples.Images) and images.images.shape == (20, 16, 16, 3)
    assert images.captions[0].startswith("green ")
    assert isinstance(table, samples.Table) and [row[1] for row in table.rows] == ["green"] * 20


def test_samples_show_mistakes_first_and_the_confusion(data: Data) -> None:
    asked = predictor(data, Constant(0.0, 2.0, 0.0))  # everything is green
    images, table = asked.samples(8, np.random.default_rng(0), data.val)
    assert isinstance(images, samples.Images) and isinstance(table, samples.ConfusionMatrix)
    assert list(images.good) == [False] * 6 + [True] * 2 and images.images.shape == (8, 16, 16, 3)
    assert images.captions[0].split(" ", 1)[1].startswith("→ green") and images.captions[6].startswith("green")
    assert table.classes == ["blue", "green", "red"]
    assert table.counts == [[0, 3, 0], [0, 3, 0], [0, 3, 0]]
    assert sorted(table.cells) == [(0, 1)] * 3 + [(2, 1)] * 3 and table.images.shape == (6, 16, 16, 3)
    assert {int(image.mean((0, 1)).argmax()) for image in table.images[:3]} <= {0, 2}, "the images of those mistakes"
    table.check()
    right, sure = predictor(data).samples(99, np.random.default_rng(0), data.val)
    assert isinstance(sure, samples.ConfusionMatrix) and not len(sure.images)
    assert isinstance(right, samples.Images) and all(right.good) and len(right.good) == 9
    assert asked.samples(8, np.random.default_rng(0), None) == ()


def test_many_classes_show_their_commonest_confusions() -> None:
    count = PER_CLASS + 50
    images, label = torch.zeros(300, 1, 4, 4), torch.arange(300) % 3
    names = [f"c{i}" for i in range(count)]
    one = np.ones(1, np.float32)
    info = ClassificationInfo(classes=names, shape=(1, 4, 4), mean=one, std=one)
    asked = Classifier(Constant(*[5.0] + [0.0] * (count - 1)), info, ClassifierConfig())
    _, table = asked.samples(4, np.random.default_rng(0), TensorSplit({"image": images, "label": label}))
    assert isinstance(table, samples.Table)
    assert sorted(table.rows) == [["c1", "c0", 100], ["c2", "c0", 100]]


def test_preview_counts_and_shows_all_classes(data: Data) -> None:
    info = ClassificationInfo.model_validate(data.info)
    assert next(iter(Classification().preview(info, data.val, 3))) == balance(info, data.val)
    assert balance(info, data.val).rows == [["blue", 3, "33.3%"], ["green", 3, "33.3%"], ["red", 3, "33.3%"]]
    shown = grid(info, data.val, 3)
    assert shown.images.shape == (3, 16, 16, 3) and list(shown.captions) == ["blue", "green", "red"]
    assert shown.images[2].mean((0, 1)).argmax() == 0


@pytest.mark.parametrize("invert", [False, True])
def test_an_example_is_a_validation_image_as_the_model_saw_it(data: Data, tmp_path: Path, invert: bool) -> None:
    asked = predictor(data, invert=invert)
    (word,) = asked.example(data.val, np.random.default_rng(1), tmp_path)
    (path,) = asked.read([word])
    pixels = torch.from_numpy(asked.seen(path))[None]
    seen = data.val.take(torch.arange(len(data.val)))["image"]
    distances = (asked.encoding.encode(pixels) - seen).abs().amax((1, 2, 3))
    assert float(distances.min()) < 1e-5
    assert asked.example(None, np.random.default_rng(1), tmp_path) == []
