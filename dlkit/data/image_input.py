"""``ImageInput``: any image as the pixels that a model was trained on. The same for training's successors everywhere: a
predictor, and an exported model, which takes this source with it; no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from dlkit.data.conversions import conversion_notes
from dlkit.data.images import Fit, any_image, fitted
from dlkit.data.letterbox import Letterbox
from dlkit.data.pixel_rules import PixelRules
from dlkit.data.pixels import Conversion
from dlkit.errors import DataError
from dlkit.question_schema import base64_bytes, told

Pixels = npt.NDArray[np.uint8]
Known = Mapping[str, Any]
"""What an answering must know of images, in JSON values."""
_SMALL, _KEPT = 65_536, 256
"""Pixels up to which an accepted image is kept until it is answered, and how many are: opening a file of 8×8 pixels is
a fifth of what its answer takes."""


class ImageInput:
    """Brings images to ``shape`` (channels, height, width) as ``fit`` and ``rules`` say; ``inverts``: they are taken as
    negatives.

    An image is a path, the bytes of a file, a PIL image, or an array uint8 [H,W], [H,W,3] or [H,W,4].
    """

    def __init__(self, shape: tuple[int, int, int], fit: Fit, rules: PixelRules, *, inverts: bool = False) -> None:
        self.channels, self.height, self.width = shape
        self.fit, self.rules, self.inverts = fit, rules, inverts
        self._told: dict[str, Conversion] = {}
        self._decoded: dict[bytes, Image.Image] = {}

    def opened(self, value: object, *, colour: bool | None = None, enough: int = 0) -> Image.Image:
        """An input as an image of its own size, upright, in the model's colours (or as ``colour`` says).

        ``enough``: sides of that many pixels will do. DataError for what is not an image, and where the model was
        trained on images that files cannot hold.
        """
        if self.channels not in (1, 3):
            raise DataError(
                f"this model was trained on images of {self.channels} channels: image files cannot be answered"
            )
        in_colour = self.channels == 3 if colour is None else colour
        image, conversion = any_image(value, colour=in_colour, enough=enough, rules=self.rules)
        # By name: an image is opened to be answered, and again to be shown.
        self._told[str(value) if isinstance(value, (str, Path)) else f"one of {image.width}×{image.height}"] = (
            conversion
        )
        return image

    def accepted(self, value: object) -> object:
        """A question from afar, when it has been decoded: the bytes of a file, the same in base64, or rows of pixels.
        DataError says what is wrong with it."""
        if isinstance(value, str):
            value = base64_bytes(value)
        if not isinstance(value, (bytes, list)):
            raise DataError(f"an image is a file, its bytes in base64, or rows of pixels, not {told(value)}")
        image = self.enough(value)
        if isinstance(value, bytes) and image.width * image.height <= _SMALL:
            self._decoded[value] = image
            while len(self._decoded) > _KEPT:
                del self._decoded[next(iter(self._decoded))]
        return value

    def notes(self) -> list[str]:
        """What had to be decided of images since this was last asked: transparency, values of over 8 bits."""
        told, self._told = self._told, {}
        return conversion_notes(told.items(), "--inference.")

    def prepared(self, value: object) -> Pixels:
        """One input as uint8 [C,H,W], brought to the training images' form; not inverted."""
        return self._fitted(self.enough(value))

    def seen(self, value: object) -> Pixels:
        """One input as the model sees it: ``prepared``, of its negative where the options ask for that."""
        return self._fitted(self.turned(self.enough(value)))

    def letterboxed(self, value: object) -> tuple[Pixels, Letterbox]:
        """One input as uint8 [C,H,W] as the model sees it, whole and on black, and how it came to lie there."""
        # Not "enough": answers are in pixels of the image itself, whose size a fraction of it would not show.
        image = self.opened(value)
        geometry = Letterbox(image.size, (self.width, self.height))
        return geometry.place(self.turned(image)), geometry

    def enough(self, value: object) -> Image.Image:
        """One input, large enough for the model's size; of one that was just accepted what that decoded."""
        if isinstance(value, bytes) and (image := self._decoded.pop(value, None)):
            return image
        return self.opened(value, enough=max(self.height, self.width))

    def turned(self, image: Image.Image) -> Image.Image:
        """The image, or its negative where the options ask for that."""
        # Before an image is placed: what is beside it is black either way.
        return ImageOps.invert(image) if self.inverts else image

    def _fitted(self, image: Image.Image) -> Pixels:
        return fitted(image, self.height, self.width, self.fit)


def normalised(pixels: Pixels, mean: npt.ArrayLike, std: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """uint8 [N,C,H,W] → float32, (pixel / 255 − mean) / std: the bits of ``dlkit.data.encoding.Encoding``."""
    own_mean, own_std = np.asarray(mean, np.float32), np.asarray(std, np.float32)
    scale, shift = ((1 / (255 * own_std))[:, None, None], (own_mean / own_std)[:, None, None])
    values = pixels.astype(np.float32)
    values *= scale
    values -= shift
    return values


def given_of(images: ImageInput, mean: npt.ArrayLike, std: npt.ArrayLike) -> Known:
    """What an answering must know of the images, as JSON values."""
    rules = images.rules
    return {
        "shape": [images.channels, images.height, images.width],
        "fit": images.fit,
        "background": rules.background,
        "value_range": rules.value_range,
        "ranges": {kind: list(span) for kind, span in rules.ranges.items()},
        "inverts": images.inverts,
        "mean": np.asarray(mean, np.float32).tolist(),
        "std": np.asarray(std, np.float32).tolist(),
    }


def input_of(given: Known) -> ImageInput:
    """The reverse of ``given_of``."""
    ranges = {kind: (low, high) for kind, (low, high) in given["ranges"].items()}
    rules = PixelRules(given["background"], given["value_range"], ranges)
    channels, height, width = given["shape"]
    return ImageInput((channels, height, width), given["fit"], rules, inverts=given["inverts"])
