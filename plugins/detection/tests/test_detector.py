"""The predictor answers raw images from ``info`` alone, in their own pixels, and shows mistakes first."""

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

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.errors import DataError
from dlkit.samples import Boxes, Table
from dlkit_detection.datasets import files
from dlkit_detection.detector import Detector
from dlkit_detection.info import DetectionInfo
from dlkit_detection.options import DetectorConfig, FilesConfig

SCENE = [("red", 20.0, 30.0, 120.0, 90.0), ("blue", 200.0, 100.0, 290.0, 190.0)]


Saver = Callable[..., None]


class Silent(nn.Module):
    """Finds nothing."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"boxes": torch.zeros(len(image), 1, 4), "scores": torch.zeros(len(image), 1, 3)}


@pytest.fixture
def data(scenes: Callable[[int], Path], context: Context) -> Data:
    return files.build(FilesConfig(path=str(scenes(20)), height=40, width=50), context)


@pytest.fixture
def detector(by_colour: type[nn.Module]) -> Callable[..., Detector]:
    """``detector(data, threshold=0.9)``: of the stand-in, or of the model given."""

    def make(data: Data, model: nn.Module | None = None, **options: Any) -> Detector:
        info = DetectionInfo.model_validate(data.info)
        return Detector(model or by_colour(info), info, DetectorConfig(**options))

    return make


def test_a_file_is_answered_in_its_own_pixels_with_the_data_gone(
    data: Data, tmp_path: Path, detector: Callable[..., Detector], save_image: Saver
) -> None:
    shutil.rmtree(tmp_path / "images")
    save_image(tmp_path / "large.png", 400, 200, SCENE)
    asked = detector(data)
    (answer,) = asked.predict(asked.read([str(tmp_path / "large.png")]))
    assert (answer["width"], answer["height"], answer["file"]) == (400, 200, str(tmp_path / "large.png"))
    found = {item["class"]: item for item in answer["objects"]}
    assert set(found) == {"red", "blue"}
    for name, *corners in SCENE:
        assert found[name]["box"] == pytest.approx(corners, abs=8)  # a pixel of the model's is eight of the image's
        assert found[name]["score"] == pytest.approx(0.9)
    json.dumps(answer, allow_nan=False)


@pytest.mark.parametrize(("width", "height"), [(50, 40), (100, 300), (300, 100), (7, 90)])
def test_boxes_lie_inside_images_of_any_shape(
    data: Data, tmp_path: Path, width: int, height: int, detector: Callable[..., Detector], save_image: Saver
) -> None:
    save_image(tmp_path / "any.png", width, height, [("green", 0, 0, width, height)])
    asked = detector(data)
    (answer,) = asked.predict([tmp_path / "any.png"])
    (item,) = answer["objects"]
    x1, y1, x2, y2 = item["box"]
    assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
    assert (x2 - x1) * (y2 - y1) > 0.5 * width * height


def test_every_form_of_one_image_has_one_answer(
    data: Data, tmp_path: Path, detector: Callable[..., Detector], save_image: Saver
) -> None:
    save_image(tmp_path / "i.png", 50, 40, [("red", 5.0, 5.0, 25.0, 25.0)])
    with Image.open(tmp_path / "i.png") as opened:
        image = opened.convert("RGB")
    answers = detector(data).predict([tmp_path / "i.png", str(tmp_path / "i.png"), image, np.asarray(image)])
    assert all(answer["objects"] == answers[0]["objects"] != [] for answer in answers)
    assert ["file" in answer for answer in answers] == [True, True, False, False]


def test_what_training_saw_is_what_a_file_becomes(
    scenes: Callable[[int], Path],
    context: Context,
    tmp_path: Path,
    detector: Callable[..., Detector],
    by_colour: type[nn.Module],
) -> None:
    data = files.build(FilesConfig(path=str(scenes(10)), height=64, width=48), context)
    model = by_colour(DetectionInfo.model_validate(data.info))
    asked = detector(data, model)
    asked.predict(asked.read([str(tmp_path / "images")]))
    images = torch.cat([split.take(torch.arange(len(split)))["image"] for split in data.splits.values()])
    for image in model.seen[0]:
        assert float((images - image).abs().amax((1, 2, 3)).min()) < 1e-6


def test_threshold_and_number_are_options(
    data: Data, tmp_path: Path, detector: Callable[..., Detector], save_image: Saver
) -> None:
    save_image(tmp_path / "i.png", 400, 200, SCENE)
    assert detector(data, threshold=0.95).predict([tmp_path / "i.png"])[0]["objects"] == []
    assert len(detector(data, most=1).predict([tmp_path / "i.png"])[0]["objects"]) == 1
    with Image.open(tmp_path / "i.png") as image:
        Image.fromarray(255 - np.asarray(image)).save(tmp_path / "negative.png")
    inverted = detector(data, invert=True).predict([tmp_path / "negative.png"])[0]
    assert {item["class"] for item in inverted["objects"]} == {"red", "blue"}


def test_pictures_have_the_files_own_size(
    data: Data, tmp_path: Path, detector: Callable[..., Detector], save_image: Saver
) -> None:
    save_image(tmp_path / "large.png", 400, 200, SCENE)
    asked = detector(data)
    (answer,) = asked.predict([tmp_path / "large.png"])
    picture = asked.draw(tmp_path / "large.png", answer)
    with Image.open(tmp_path / "large.png") as image:
        changed = np.asarray(picture) != np.asarray(image.convert("RGB"))
    assert picture.size == (400, 200) and changed.any()
    assert asked.draws


def test_files_and_folders_are_read_and_what_cannot_be_is_named(
    data: Data, tmp_path: Path, detector: Callable[..., Detector]
) -> None:
    asked = detector(data)
    assert len(asked.read([str(tmp_path / "images"), str(tmp_path / "images" / "000.png")])) == 21
    with pytest.raises(DataError, match=r"absent\.png: no such file"):
        asked.read([str(tmp_path / "absent.png")])
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="none: holds no images"):
        asked.read([str(tmp_path / "none")])
    (tmp_path / "bad.png").write_text("text")
    with pytest.raises(DataError, match=r"bad\.png: not a readable image"):
        asked.predict([tmp_path / "bad.png"])
    with pytest.raises(DataError, match="an image is uint8"):
        asked.predict([np.zeros((4, 4))])


def test_answers_are_shown_on_their_images(
    data: Data, tmp_path: Path, detector: Callable[..., Detector], save_image: Saver
) -> None:
    save_image(tmp_path / "large.png", 400, 200, SCENE)
    asked = detector(data)
    inputs = asked.read([str(tmp_path / "large.png")])
    image, table = asked.show(inputs, asked.predict(inputs))
    assert isinstance(image, Boxes) and image.image.shape == (200, 400, 3) and len(image.boxes) == 2
    assert isinstance(table, Table) and sorted(row[1] for row in table.rows) == ["blue", "red"]


def test_samples_tell_missed_false_and_found_apart_and_the_worst_comes_first(
    data: Data, detector: Callable[..., Detector], by_colour: type[nn.Module]
) -> None:
    class Half(by_colour):
        """Blind to red, and calls green blue."""

        def forward(self, image: Tensor) -> dict[str, Tensor]:
            outputs = super().forward(image)
            scores = outputs["scores"].clone()
            scores[:, 2] = 0
            scores[:, 1] = scores[:, 1].roll(-1, 1)
            return {**outputs, "scores": scores}

    info = DetectionInfo.model_validate(data.info)
    *shown, table = detector(data, Half(info)).samples(3, np.random.default_rng(0), data.val)
    assert len(shown) == 3 and isinstance(table, Table)
    mistakes = []
    for sample in shown:
        assert isinstance(sample, Boxes) and sample.image.shape == (40, 50, 3)
        roles = [(box.role, box.label) for box in sample.boxes]
        assert {label for role, label in roles if role == "predicted"} <= {"blue"}
        assert {label for role, label in roles if role == "missed"} <= {"red", "green"}
        assert {label for role, label in roles if role == "false"} <= {"blue"}
        mistakes.append(sum(role in ("missed", "false") for role, _ in roles))
    assert mistakes == sorted(mistakes, reverse=True) and mistakes[0] > 0
    rows = {row[0]: row[1:] for row in table.rows}
    objects = sum(row[0] for row in rows.values())
    assert objects == int((data.val.take(torch.arange(len(data.val)))["labels"] >= 0).sum())
    assert rows["red"][1] == 0 and rows["green"][1] == 0 and rows["blue"][0] == rows["blue"][1]


def test_samples_of_a_good_and_of_a_silent_model(data: Data, detector: Callable[..., Detector]) -> None:
    *shown, table = detector(data).samples(99, np.random.default_rng(0), data.val)
    assert all(box.role == "predicted" for sample in shown if isinstance(sample, Boxes) for box in sample.boxes)
    assert isinstance(table, Table) and all(row[4] == row[5] == 0 for row in table.rows)
    assert {row[3] for row in table.rows} == {1.0, ""}, "no share of nothing"
    *silent, _ = detector(data, Silent()).samples(2, np.random.default_rng(0), data.val)
    assert all(box.role == "missed" for sample in silent if isinstance(sample, Boxes) for box in sample.boxes)
    assert detector(data).samples(2, np.random.default_rng(0), None) == ()


@pytest.mark.parametrize("invert", [False, True])
def test_an_example_is_a_validation_image_as_the_model_saw_it(
    data: Data, tmp_path: Path, invert: bool, detector: Callable[..., Detector], by_colour: type[nn.Module]
) -> None:
    model = by_colour(DetectionInfo.model_validate(data.info))
    asked = detector(data, model, invert=invert)
    (word,) = asked.example(data.val, np.random.default_rng(1), tmp_path)
    asked.predict(asked.read([word]))
    seen = data.val.take(torch.arange(len(data.val)))["image"]
    assert float((seen - model.seen[-1]).abs().amax((1, 2, 3)).min()) < 1e-5
    assert asked.example(None, np.random.default_rng(1), tmp_path) == []
