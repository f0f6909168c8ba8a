"""Every predictor of images reads, prepares and inverts them alike, and offers an image of the validation split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import Field
from torch import nn

from dlkit.config import Config
from dlkit.data.images import Fit
from dlkit.data.splits import Split, TensorSplit
from dlkit.errors import DataError, PluginError
from dlkit.image_predictor import ImagePredictor, as_pictures
from dlkit.predictor import Answer
from dlkit.samples import Sample
from dlkit.task import Array, Info


class PictureInfo(Info):
    shape: tuple[int, int, int] = Field(description="channels, height, width")
    mean: Array = Field(description="mean")
    std: Array = Field(description="deviation")
    fit: Fit = Field("crop", description="crop or letterbox")


class PlainInfo(Info):
    """Of images whose model takes pixels as they are."""

    shape: tuple[int, int, int] = Field(description="channels, height, width")
    fit: Fit = Field("crop", description="crop or letterbox")


class PictureConfig(Config):
    """Options."""

    invert: bool = Field(False, description="negatives")


class Brightness(ImagePredictor[PictureInfo, PictureConfig]):
    """The mean of each image as the model sees it."""

    batch = 2

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        answers: list[Answer] = []
        for some in self.batches(inputs):
            assert len(some) <= 2
            answers += [self.with_file({"mean": float(self.letterboxed(v)[0].mean())}, v) for v in some]
        return answers

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        return ()


def predictor(channels: int = 3, fit: Fit = "crop", **options: bool) -> Brightness:
    zeros, ones = np.zeros(channels, np.float32), np.ones(channels, np.float32)
    info = PictureInfo(shape=(channels, 8, 12), mean=zeros, std=ones, fit=fit)
    return Brightness(nn.Identity(), info, PictureConfig(**options))


def test_folders_and_files_are_read_in_order(tmp_path: Path) -> None:
    for name, level in (("a", 10), ("b", 20), ("c", 30)):
        Image.new("L", (12, 8), level).save(tmp_path / f"{name}.png")
    asked = predictor()
    answers = asked.predict(asked.read([str(tmp_path / "c.png"), str(tmp_path)]))
    assert [answer["mean"] for answer in answers] == [30, 10, 20, 30]
    assert answers[0]["file"] == str(tmp_path / "c.png")
    with pytest.raises(DataError, match=r"absent\.png: no such file"):
        asked.read([str(tmp_path / "absent.png")])


def test_what_is_no_file_has_no_file() -> None:
    assert predictor().predict([np.full((8, 12), 7, np.uint8)]) == [{"mean": 7.0}]


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_brought_to_the_models_form(channels: int) -> None:
    image = Image.new("RGB", (24, 24), (90, 90, 90))
    assert predictor(channels).prepared(image).shape == (channels, 8, 12)
    assert bool((predictor(channels).prepared(image) == 90).all())
    assert predictor(channels, "letterbox").prepared(image)[:, :, 0].max() == 0


def test_what_is_beside_an_image_is_black_however_it_is_brought_to_the_models_form() -> None:
    image = Image.new("L", (8, 8), 55)
    for inverts, level in ((False, 55), (True, 200)):
        pixels = predictor(1, "letterbox", invert=inverts).seen(image)
        assert (pixels[0, :, 2:10] == level).all() and not pixels[0, :, :2].any() and not pixels[0, :, 10:].any()


def test_what_is_beside_a_letterboxed_image_is_black_inverted_or_not() -> None:
    image = Image.new("L", (8, 8), 55)
    for inverts, level in ((False, 55), (True, 200)):
        pixels, geometry = predictor(1, invert=inverts).letterboxed(image)
        assert pixels[0, :, 0].max() == pixels[0, :, -1].max() == 0 and pixels[0, 4, 6] == level
        assert geometry.size == (8, 8)


def test_models_of_other_images_than_files_hold_say_so(tmp_path: Path) -> None:
    asked = predictor(4)
    with pytest.raises(DataError, match="trained on images of 4 channels"):
        asked.prepared(np.zeros((8, 12), np.uint8))
    assert asked.example(TensorSplit({"image": torch.zeros(1, 4, 8, 12)}), np.random.default_rng(0), tmp_path) == []


@pytest.mark.parametrize("inverts", [False, True])
def test_an_example_becomes_what_the_model_saw(tmp_path: Path, inverts: bool) -> None:
    images = torch.randint(0, 256, (5, 3, 8, 12), dtype=torch.uint8)
    asked = predictor(invert=inverts)
    split = TensorSplit({"image": asked.encoding.encode(images)})
    (word,) = asked.example(split, np.random.default_rng(0), tmp_path)
    seen, _ = asked.letterboxed(asked.read([word])[0])
    assert any(np.array_equal(seen, image) for image in images.numpy())
    assert asked.example(None, np.random.default_rng(0), tmp_path) == []


def test_images_that_are_not_normalised_need_an_encoding_of_their_own() -> None:
    info = PlainInfo(shape=(1, 8, 8))
    with pytest.raises(PluginError, match="Brightness: info has no 'mean' and 'std': its make_encoding"):
        Brightness(nn.Identity(), info, PictureConfig())  # type: ignore[arg-type]  # the wrong one on purpose


def test_pictures_have_their_channels_last() -> None:
    assert as_pictures(np.zeros((5, 1, 8, 12), np.uint8)).shape == (5, 8, 12)
    assert as_pictures(np.zeros((5, 3, 8, 12), np.uint8)).shape == (5, 8, 12, 3)
