"""Images as their codes, and back, by an exported model: NumPy, Pillow, and safetensors for the files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from dlkit.answering import Answered, Values, alike
from dlkit.data.images import image_size
from dlkit.errors import DataError
from dlkit.image_answering import ImageAnswering
from dlkit_autoencoder.codes import (
    SUFFIX,
    Code,
    called,
    code_file,
    described,
    dumped,
    is_code,
    read_code,
    rounded,
)
from dlkit_autoencoder.geometry import Fitting, inside


class CodeAnswering(ImageAnswering):
    """``given``: ``bits`` of a code's numbers, and ``model``, the hash that code files name their weights by."""

    usage = "image files, folders of them, or code files that this model made"
    draws = True

    def predict(self, inputs: Sequence[object]) -> list[Answered]:
        """What ``Compressor.predict`` says."""
        answers: list[Answered] = []
        for some in self.batches(inputs):
            images = [value for value in some if not is_code(value)]
            encoded = iter(self._compressed(images) if images else [])
            for value in some:
                source = code_file(value)
                answer = next(encoded) if source is None else self._restored(source)
                answers.append(self.with_file(answer, value))
        return answers

    def accept(self, value: object) -> object:
        """An image, or the bytes of a code file."""
        if isinstance(value, bytes) and is_code(value):
            read_code(value)
            return value
        return super().accept(value)

    def draw(self, value: object, answer: Answered) -> Image.Image:
        """What comes back, at the original's resolution."""
        pixels = (self._decoded(np.asarray([answer["numbers"]], np.float32))[0] * 255).round().astype(np.uint8)
        size = (self.images.width, self.images.height)
        original = (answer["width"], answer["height"])
        if answer["inverted"]:
            part = (slice(None), *inside(original, size, self.images.fit))
            pixels[part] = 255 - pixels[part]
        picture = Image.fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1))
        return Fitting(original, size, self.images.fit).back(picture)

    def files(self, value: object, answer: Answered) -> Mapping[str, bytes]:
        """As ``Compressor.files``."""
        if is_code(value):
            return {}
        numbers = np.asarray(answer["numbers"], np.float32)
        code = Code(numbers, answer["width"], answer["height"], self.given["model"], answer["inverted"])
        return {SUFFIX: dumped(code, self.given["bits"])}

    @classmethod
    def alike(cls, one: Answered, other: Answered) -> bool:
        """A code's numbers are rounded to steps, and a hair's breadth may be one: what comes back may differ so far."""
        numbers = [np.asarray(answer["numbers"], np.float64) for answer in (one, other)]
        if numbers[0].shape != numbers[1].shape:
            return False
        span = float(np.ptp(numbers[0]))
        step = 1.5 * max(span / 255, float(np.abs(numbers[0]).max(initial=0.0)) / 1024)
        near = bool(np.abs(numbers[0] - numbers[1]).max(initial=0.0) <= step)
        return near and alike(_without(one), _without(other), 0.01)

    def _compressed(self, values: Sequence[object]) -> list[Answered]:
        images = self.encoded([self.images.seen(value) for value in values])
        codes = np.stack([rounded(row, self.given["bits"]) for row in self.run("encoder", image=images)["code"]])
        errors = np.square(self._decoded(codes) - images).reshape(len(images), -1).mean(1).tolist()
        answers: list[Answered] = []
        for value, numbers, error in zip(values, codes, errors, strict=True):
            code = Code(numbers, *self._size(value), self.given["model"], self.images.inverts)
            found = -10 * math.log10(error) if error > 0 else None
            answers.append({"psnr": found, **self._described(code, self.given["bits"])})
        return answers

    def _decoded(self, codes: Values) -> Values:
        """Codes [N,K] as images [N,C,H,W] in [0, 1]."""
        found: Values = self.run("decoder", code=codes)["image"].clip(0, 1)
        return found

    def _restored(self, source: Path | bytes) -> Answered:
        code, bits = read_code(source)
        if code.model != self.given["model"]:
            raise DataError(
                f"{called(source)}: made with other weights ({code.model}) than this model's ({self.given['model']})"
            )
        return {"psnr": None, **self._described(code, bits)}

    def _described(self, code: Code, bits: Literal[8, 16]) -> Answered:
        size = (self.images.width, self.images.height)
        brought_to = Fitting((code.width, code.height), size, self.images.fit).text
        return described(code, bits, self.images.channels * math.prod(size), brought_to)

    def _size(self, value: object) -> tuple[int, int]:
        """Width and height of an image, upright; of a file, from its header."""
        if isinstance(value, (str, Path, bytes)):
            return image_size(value if isinstance(value, bytes) else Path(value))
        return self.images.opened(value).size


def _without(answer: Answered) -> Answered:
    # A file's header has the code's ends in all their digits, of which one more or less is a byte.
    return {name: value for name, value in answer.items() if name not in ("numbers", "file_bytes")}
