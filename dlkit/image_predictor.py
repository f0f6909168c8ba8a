"""``ImagePredictor``: what every predictor that is asked about images does alike."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from PIL import Image
from torch import nn

from dlkit.answering import Given
from dlkit.data.encoding import Encoding
from dlkit.data.image_files import named_images
from dlkit.data.image_input import ImageInput, Pixels, given_of
from dlkit.data.images import Fit, allow_megapixels
from dlkit.data.letterbox import Letterbox
from dlkit.data.names import shown_path
from dlkit.data.options import MEGAPIXELS
from dlkit.data.pixel_rules import PLAIN, PixelRules
from dlkit.data.splits import Split
from dlkit.errors import PluginError
from dlkit.json_types import JsonObject
from dlkit.portable import Portable, whole_model
from dlkit.predictor import Answer, ConfigT, Predictor
from dlkit.question_schema import IMAGE, Schema
from dlkit.task import Array


class ImageInfo(Protocol):
    """What such a predictor needs of ``info``."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels (1: grey, 3: RGB), height and width of the model's images."""

    @property
    def fit(self) -> Fit:
        """How an image of another shape is brought to this one."""


@runtime_checkable
class Normalised(Protocol):
    """What ``info`` has where the model's input is (pixel / 255 − mean) / std."""

    @property
    def mean(self) -> Array:
        """float32 [C]."""

    @property
    def std(self) -> Array:
        """float32 [C]."""


ImageInfoT = TypeVar("ImageInfoT", bound=ImageInfo)


class ImagePredictor(Predictor[ImageInfoT, ConfigT]):
    """Base of predictors that answer images of any size, grey or RGB, from ``info`` alone.

    An input is a path, the bytes of a file, a PIL image, or a uint8 array [H,W] or [H,W,3] (lists of such rows too).
    ``info`` is an ``ImageInfo``, and an ``ImagesInfo`` where training images came from files. ``config`` may have
    ``invert``: images are taken as negatives; and the options of ``AskedImages``. ``batch``: images that go through the
    model together.
    """

    usage = "image files, or folders of them"
    asks = "image"
    label = "image"
    placeholder = "an image file, or a folder of them"
    seldom = frozenset({"background", "value_range", "max_megapixels"})
    batch = 250

    def __init__(self, model: nn.Module, info: ImageInfoT, config: ConfigT) -> None:
        super().__init__(model, info, config)
        self.channels, self.height, self.width = info.shape
        self.encoding = self.make_encoding()
        self.inverts = bool(getattr(config, "invert", False))
        allow_megapixels(getattr(config, "max_megapixels", MEGAPIXELS))
        self.looking = ImageInput(info.shape, info.fit, _rules(info, config), inverts=self.inverts)
        self._left_out: list[str] = []

    def make_encoding(self) -> Encoding:
        """How pixels become the model's input, and back; by default with the mean and deviation that ``info`` has."""
        if not isinstance(self.info, Normalised):
            raise PluginError(f"{type(self).__name__}: info has no 'mean' and 'std': its make_encoding must do without")
        return Encoding(self.info.mean, self.info.std)

    def accept(self, value: object) -> object:
        """An image: the bytes of a file, the same in base64, or rows of pixels. It is decoded, so that one that cannot
        be does not fail with others."""
        return self.looking.accepted(value)

    def portable(self) -> Portable:
        assert self.task is not None
        return Portable((whole_model(self.task, self.model, self.info),), {**self.images_given(), **self.given()})

    def images_given(self) -> Given:
        """What an ``ImageAnswering`` must know."""
        images = given_of(self.looking, self.encoding.mean, self.encoding.std)
        return {"images": images, "max_megapixels": getattr(self.config, "max_megapixels", MEGAPIXELS)}

    def given(self) -> Given:
        """What the task's own answering must know besides, as ``Portable.given``."""
        return {}

    def schema(self) -> Schema:
        return Schema(question=IMAGE, answer=self.answer_schema(), example=self._noise())

    def answer_schema(self) -> JsonObject:
        """What ``predict`` returns of an image."""
        return {"type": "object"}

    def _noise(self) -> str:
        """Grey noise of the model's size as PNG, in base64: an image that needs no data."""
        file = BytesIO()
        Image.fromarray(np.random.default_rng(0).integers(256, size=(self.height, self.width), dtype=np.uint8)).save(
            file, "PNG"
        )
        return base64.b64encode(file.getvalue()).decode()

    def read(self, arguments: Sequence[str]) -> list[Path]:
        """The files named and those in the folders named; each is decoded when it is its turn."""
        named, self._left_out = named_images(arguments)
        return named

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """A validation image as a PNG; none without the data, or where pictures cannot show what the model sees."""
        if examples is None or self.channels not in (1, 3):
            return []
        chosen = torch.from_numpy(rng.integers(len(examples), size=1))
        picture = self.encoding.pixels(examples.take(chosen)["image"])[0]
        path = folder / f"validation-{int(chosen)}.png"
        Image.fromarray(255 - picture if self.inverts else picture).save(path)
        return [str(path)]

    def batches(self, inputs: Sequence[object]) -> Iterator[Sequence[object]]:
        """Inputs, as many at a time as go through the model together."""
        return (inputs[first : first + self.batch] for first in range(0, len(inputs), self.batch))

    def opened(self, value: object, *, colour: bool | None = None, enough: int = 0) -> Image.Image:
        """An input as an image of its own size, upright, in the model's colours (or as ``colour`` says)."""
        return self.looking.opened(value, colour=colour, enough=enough)

    def notes(self) -> list[str]:
        """What was left out of folders, and what had to be decided of images: transparency, values of over 8 bits."""
        left_out, self._left_out = self._left_out, []
        return [*left_out, *self.looking.notes()]

    def prepared(self, value: object) -> Pixels:
        """One input as uint8 [C,H,W], brought to the training images' form; not inverted."""
        return self.looking.prepared(value)

    def seen(self, value: object) -> Pixels:
        """One input as the model sees it: ``prepared``, of its negative where the options ask for that."""
        return self.looking.seen(value)

    def letterboxed(self, value: object) -> tuple[Pixels, Letterbox]:
        """One input as uint8 [C,H,W] as the model sees it, whole and on black, and how it came to lie there."""
        return self.looking.letterboxed(value)

    @staticmethod
    def with_file(answer: Answer, value: object) -> Answer:
        """An answer that names its ``file``, where it was a file."""
        return {**answer, "file": shown_path(value)} if isinstance(value, (str, Path)) else answer


def _rules(info: object, config: object) -> PixelRules:
    """How the training images became pixels, as far as the options do not say otherwise."""
    rules = PixelRules(
        getattr(info, "background", PLAIN.background),
        getattr(info, "value_range", PLAIN.value_range),
        getattr(info, "ranges", PLAIN.ranges),
    )
    background, value_range = (getattr(config, name, _TRAINED) for name in ("background", "value_range"))
    if background != _TRAINED:
        rules = replace(rules, background=background)
    if value_range != _TRAINED:
        rules = replace(rules, value_range=value_range, ranges={})
    return rules


_TRAINED = "trained"
"""An option's value: as in training."""


def as_pictures(pixels: Pixels) -> Pixels:
    """uint8 [N,C,H,W] as pictures are shown: [N,H,W] of grey ones, else [N,H,W,3]."""
    return np.ascontiguousarray(pixels[:, 0] if pixels.shape[1] == 1 else np.moveaxis(pixels, 1, -1))
