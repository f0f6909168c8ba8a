"""``ImageAnswering``: what every exported model that is asked about images does alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dlkit.answering import Answered, Answering, Given, Input, RunGraph
from dlkit.data.image_files import named_images
from dlkit.data.image_input import Pixels, input_of, normalised
from dlkit.data.images import allow_megapixels
from dlkit.data.names import shown_path


class ImageAnswering(Answering):
    """``given["images"]`` is what ``given_of`` gave, ``given["max_megapixels"]`` how large images may be."""

    usage = "image files, or folders of them"
    asks = "image"

    def __init__(self, given: Given, run: RunGraph) -> None:
        super().__init__(given, run)
        self.images = input_of(given["images"])
        self._left_out: list[str] = []
        allow_megapixels(given["max_megapixels"])

    def read(self, words: Sequence[str]) -> list[Input]:
        """The files named and those in the folders named; each is decoded when it is its turn."""
        named, self._left_out = named_images(words)
        return list(named)

    def accept(self, value: object) -> object:
        """An image, decoded to see whether it can be: the bytes of a file, the same in base64, or rows of pixels."""
        return self.images.accepted(value)

    def notes(self) -> list[str]:
        left_out, self._left_out = self._left_out, []
        return [*left_out, *self.images.notes()]

    def encoded(self, pixels: Sequence[Pixels]) -> npt.NDArray[np.float32]:
        """uint8 [C,H,W] each → the model's input [N,C,H,W]."""
        images = self.given["images"]
        return normalised(np.stack(pixels), images["mean"], images["std"])

    @staticmethod
    def with_file(answer: Answered, value: object) -> Answered:
        """An answer that names its ``file``, where it was a file."""
        return {**answer, "file": shown_path(value)} if isinstance(value, (str, Path)) else answer
