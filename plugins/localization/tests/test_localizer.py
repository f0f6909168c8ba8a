"""The predictor answers raw images from ``info`` alone, in their own pixels, and shows the worst first."""

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
from dlkit.data.splits import Data
from dlkit.errors import DataError
from dlkit_localization.datasets import files
from dlkit_localization.info import LocalizationInfo
from dlkit_localization.localizer import Localizer, worst_first
from dlkit_localization.options import FilesConfig, LocalizerConfig
from dlkit_localization.outputs import relative
from dlkit_localization.preview import balance, grid
from dlkit_localization.task import Localization


class ByColour(nn.Module):
    """Right on the coloured images: the box of what is coloured, its class by the colour."""

    def forward(self, image: Tensor) -> Tensor:
        colour = image.amax(1) - image.amin(1)
        colour = colour > colour.flatten(1).mean(1)[:, None, None] + 0.5
        rows = []
        for mask, pixels in zip(colour, image, strict=True):
            y, x = mask.nonzero(as_tuple=True)
            if not len(x):
                rows.append([-3.0, 0.5, 0.5, 0.2, 0.2, 0, 0, 0])
                continue
            edges = [float(v) for v in (x.min(), y.min(), x.max() + 1, y.max() + 1)]
            box = relative(torch.tensor([edges]), *image.shape[2:])[0].tolist()
            rows.append([3.0, *box, *(4 * pixels[:, y, x].mean(1).flip(0)).tolist()])
        return torch.tensor(rows)


class Constant(nn.Module):
    """The same outputs for every image."""

    def __init__(self, *outputs: float) -> None:
        super().__init__()
        self.outputs = torch.tensor(outputs)

    def forward(self, image: Tensor) -> Tensor:
        return self.outputs.expand(len(image), -1)


@pytest.fixture
def data(coloured: Callable[..., Path], context: Context) -> Data:
    return files.build(FilesConfig(path=str(coloured(count=60)), height=32, width=32), context)


def predictor(data: Data, model: nn.Module | None = None, **options: Any) -> Localizer:
    info = LocalizationInfo.model_validate(data.info)
    return Localizer(model or ByColour(), info, LocalizerConfig(**options))


def red_square(path: Path, width: int, height: int, corners: tuple[int, int, int, int]) -> Path:
    image = Image.new("RGB", (width, height), (90, 90, 90))
    image.paste((210, 20, 30), corners)
    image.save(path)
    return path


@pytest.mark.parametrize(("width", "height"), [(64, 64), (320, 160), (100, 300)])
def test_boxes_are_in_the_pixels_of_the_file(data: Data, tmp_path: Path, width: int, height: int) -> None:
    shutil.rmtree(tmp_path / "images")
    corners = (width // 4, height // 4, width * 3 // 4, height // 2)
    path = red_square(tmp_path / "ask me.png", width, height, corners)
    asked = predictor(data)
    (answer,) = asked.predict(asked.read([str(path)]))
    assert answer["present"] and answer["class"] == "red" and answer["file"] == str(path)
    assert answer["box"] == pytest.approx(corners, abs=1.5 * max(width, height) / 32)
    assert answer["probability"] == pytest.approx(0.9526, abs=1e-3) and answer["class_probability"] > 0.9
    json.dumps(answer, allow_nan=False)


def test_where_nothing_is_there_is_no_box(data: Data) -> None:
    (answer,) = predictor(data).predict([np.full((20, 30, 3), 90, np.uint8)])
    assert not answer["present"] and answer["box"] is None and answer["class"] is None
    (unsure,) = predictor(data, threshold=0.04).predict([np.full((20, 30, 3), 90, np.uint8)])
    assert unsure["present"] and unsure["box"] is not None


def test_every_form_of_one_image_has_one_answer(data: Data, tmp_path: Path) -> None:
    path = red_square(tmp_path / "i.png", 40, 30, (5, 5, 25, 20))
    pixels = np.asarray(Image.open(path))
    forms = [path, str(path), Image.fromarray(pixels), pixels, pixels.tolist()]
    answers = predictor(data).predict(forms)
    assert len({json.dumps(answer["box"]) for answer in answers}) == 1
    assert ["file" in answer for answer in answers] == [True, True, False, False, False]


def test_what_training_saw_is_what_a_file_becomes(annotate: Callable[..., Path], context: Context) -> None:
    """The validation split's images and the same files asked about are the same model inputs."""
    for part in ("train", "val"):
        for i in range(3):
            annotate(f"all/{part}", f"{i}", [("red", 4 + i, 4, 20, 20)], 50 - i, 30 + i)
    root = annotate("all/train", "x", [("green", 4, 4, 20, 20)]).parent
    data = files.build(FilesConfig(path=str(root), height=24, width=32), context)
    seen: list[Tensor] = []

    class Recorder(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            seen.append(image)
            return torch.zeros(len(image), 7)

    asked = predictor(data, Recorder())
    asked.predict(asked.read([str(root / "val")]))
    assert torch.equal(seen[0], data.val.take(torch.arange(3))["image"])


def test_inverted(data: Data) -> None:
    image = np.full((32, 32, 3), 165, np.uint8)
    image[8:20, 8:20] = (45, 235, 225)
    assert predictor(data, invert=True).predict([image])[0]["class"] == "red"


def test_folders_are_read_and_what_cannot_be_is_named(data: Data, tmp_path: Path) -> None:
    asked = predictor(data)
    assert len(asked.read([str(tmp_path / "images")])) == 60
    with pytest.raises(DataError, match=r"absent\.png: no such file"):
        asked.read([str(tmp_path / "absent.png")])
    (tmp_path / "bad.png").write_text("text")
    with pytest.raises(DataError, match=r"bad\.png: not a readable image"):
        asked.predict(asked.read([str(tmp_path / "bad.png")]))
    with pytest.raises(DataError, match="an image is uint8"):
        asked.predict([np.zeros((4, 4))])


def test_answers_are_drawn_at_the_images_own_size(data: Data, tmp_path: Path) -> None:
    path = red_square(tmp_path / "i.png", 200, 120, (40, 40, 100, 90))
    asked = predictor(data)
    (answer,) = asked.predict([path])
    drawn = asked.draw(path, answer)
    before = np.asarray(Image.open(path)).astype(int)
    changed = np.abs(np.asarray(drawn.convert("RGB")) - before).sum(2) > 0
    assert drawn.size == (200, 120) and changed.any()
    x1, y1, x2, y2 = (round(side) for side in answer["box"])
    assert changed[(y1 + y2) // 2, x1 - 1 : x1 + 2].any() and not changed[(y1 + y2) // 2, (x1 + x2) // 2]


def test_answers_are_shown(data: Data, tmp_path: Path) -> None:
    big = red_square(tmp_path / "big.png", 2000, 1000, (200, 200, 900, 800))
    asked = predictor(data)
    inputs = [big, np.full((20, 30, 3), 90, np.uint8)]
    one, none, table = asked.show(inputs, asked.predict(inputs))
    assert isinstance(one, samples.Boxes) and one.image.shape == (1000, 2000, 3)
    assert one.boxes[0].label == "red" and one.boxes[0].corners == tuple(asked.predict([big])[0]["box"])
    assert isinstance(none, samples.Boxes) and not none.boxes and "no object" in none.title
    assert isinstance(table, samples.Table) and [row[1] for row in table.rows] == ["yes", "no"]


def test_samples_show_the_worst_first(data: Data) -> None:
    asked = predictor(data, Constant(3.0, 0.5, 0.5, 0.3, 0.3, 0.0, 2.0, 0.0))  # always a green object in the middle
    *shown, table = asked.samples(9, np.random.default_rng(0), data.val)
    assert len(shown) == 9 and isinstance(table, samples.Table)
    assert all(isinstance(sample, samples.Boxes) for sample in shown)
    assert [sample.title.split(":")[0] for sample in shown] == sorted(
        (sample.title.split(":")[0] for sample in shown), reverse=True
    )  # wrong before right
    roles = {box.role for sample in shown for box in sample.boxes}
    assert "false" in roles and "true" in roles
    counts = {row[0]: row[1] for row in table.rows}
    assert sum(counts.values()) == len(data.val)
    batch = data.val.take(torch.arange(len(data.val)))
    assert counts["object where none is"] == int((batch["present"] == 0).sum())
    right = predictor(data).samples(9, np.random.default_rng(0), data.val)
    assert all(sample.title.startswith("right") for sample in right[:-1])
    blind = predictor(data, Constant(-3.0, 0.5, 0.5, 0.3, 0.3, 0.0, 2.0, 0.0)).samples(
        9, np.random.default_rng(0), data.val
    )
    assert blind[0].boxes[0].role == "missed" and "none" in blind[0].title  # type: ignore[attr-defined]
    assert asked.samples(8, np.random.default_rng(0), None) == ()


def test_the_surest_mistake_comes_first() -> None:
    judged = {
        "true_label": torch.tensor([0, 0, -1, 0, -1]),
        "present": torch.tensor([0.9, 0.99, 0.6, 0.9, 0.1]),
        "sure": torch.tensor([0.9, 0.99, 0.9, 0.9, 0.5]),
        "iou": torch.tensor([0.9, 0.1, 0.0, 0.6, 0.0]),
        "strict": torch.tensor([True, False, False, True, True]),
    }
    assert worst_first(judged).tolist() == [1, 2, 3, 0, 4]


def test_preview_counts_and_shows_boxes(data: Data) -> None:
    info = LocalizationInfo.model_validate(data.info)
    table, images = Localization().preview(info, data.train, 4)
    assert table == balance(info, data.train)
    assert [row[0] for row in table.rows] == ["none", "blue", "green", "red"]  # type: ignore[attr-defined]
    assert sum(row[1] for row in table.rows) == len(data.train)  # type: ignore[attr-defined]
    shown = grid(info, data.train, 4)
    assert shown.images.shape == (4, 32, 32, 3) and isinstance(images, samples.Images)
    green = (shown.images.astype(int) == (0, 200, 0)).all(3).any((1, 2))
    assert [bool(found) for found in green] == [caption != "none" for caption in shown.captions]


@pytest.mark.parametrize("invert", [False, True])
def test_an_example_is_a_validation_image_as_the_model_saw_it(data: Data, tmp_path: Path, invert: bool) -> None:
    asked = predictor(data, invert=invert)
    (word,) = asked.example(data.val, np.random.default_rng(1), tmp_path)
    image, _ = asked.letterboxed(word)
    encoded = asked.encoding.encode(torch.from_numpy(image[None]))
    number = int(Path(word).stem.rpartition("-")[2])
    assert torch.equal(encoded, data.val.take(torch.tensor([number]))["image"])
    assert asked.example(None, np.random.default_rng(1), tmp_path) == []
