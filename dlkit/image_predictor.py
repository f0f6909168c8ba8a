"""``ImagePredictor``: what every predictor that is asked about images does alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch import nn

from dlkit.data.boxes import Letterbox
from dlkit.data.encoding import Encoding
from dlkit.data.images import Fit, any_image, fitted, named_images
from dlkit.data.splits import Split
from dlkit.errors import DataError, PluginError
from dlkit.predictor import Answer, ConfigT, Predictor
from dlkit.task import Array

Pixels = npt.NDArray[np.uint8]


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

    An input is a path, a PIL image, or a uint8 array [H,W] or [H,W,3] (lists of such rows too). ``info`` is an
    ``ImageInfo``. ``config`` may have ``invert``: images are taken as negatives. ``batch``: images that go through the
    model together.
    """

    usage = "image files, or folders of them"
    asks = "image"
    label = "image"
    placeholder = "an image file, or a folder of them"
    batch = 250

    def __init__(self, model: nn.Module, info: ImageInfoT, config: ConfigT) -> None:
        super().__init__(model, info, config)
        self.channels, self.height, self.width = info.shape
        self.encoding = self.make_encoding()
        self.inverts = bool(getattr(config, "invert", False))

    def make_encoding(self) -> Encoding:
        """How pixels become the model's input, and back; by default with the mean and deviation that ``info`` has."""
        if not isinstance(self.info, Normalised):
            raise PluginError(f"{type(self).__name__}: info has no 'mean' and 'std': its make_encoding must do without")
        return Encoding(self.info.mean, self.info.std)

    def read(self, arguments: Sequence[str]) -> list[Path]:
        """The files named and those in the folders named; each is decoded when it is its turn."""
        return named_images(arguments)

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
        """An input as an image of its own size, upright, in the model's colours (or as ``colour`` says).

        ``enough``: sides of that many pixels will do. DataError for what is not an image, and where the model was
        trained on images that files cannot hold.
        """
        if self.channels not in (1, 3):
            raise DataError(
                f"this model was trained on images of {self.channels} channels: image files cannot be answered"
            )
        return any_image(value, colour=self.channels == 3 if colour is None else colour, enough=enough)

    def prepared(self, value: object) -> Pixels:
        """One input as uint8 [C,H,W], brought to the training images' form; not inverted."""
        return self._fitted(self._enough(value))

    def seen(self, value: object) -> Pixels:
        """One input as the model sees it: ``prepared``, of its negative where the options ask for that."""
        return self._fitted(self._turned(self._enough(value)))

    def letterboxed(self, value: object) -> tuple[Pixels, Letterbox]:
        """One input as uint8 [C,H,W] as the model sees it, whole and on black, and how it came to lie there."""
        # Not "enough": answers are in pixels of the image itself, whose size a fraction of it would not show.
        image = self.opened(value)
        geometry = Letterbox(image.size, (self.width, self.height))
        return geometry.place(self._turned(image)), geometry

    def _enough(self, value: object) -> Image.Image:
        return self.opened(value, enough=max(self.height, self.width))

    def _fitted(self, image: Image.Image) -> Pixels:
        return fitted(image, self.height, self.width, self.info.fit)

    def _turned(self, image: Image.Image) -> Image.Image:
        # Before an image is placed: what is beside it is black either way.
        return ImageOps.invert(image) if self.inverts else image

    @staticmethod
    def with_file(answer: Answer, value: object) -> Answer:
        """An answer that names its ``file``, where it was a file."""
        return {**answer, "file": str(value)} if isinstance(value, (str, Path)) else answer


def as_pictures(pixels: Pixels) -> Pixels:
    """uint8 [N,C,H,W] as pictures are shown: [N,H,W] of grey ones, else [N,H,W,3]."""
    return np.ascontiguousarray(pixels[:, 0] if pixels.shape[1] == 1 else np.moveaxis(pixels, 1, -1))
