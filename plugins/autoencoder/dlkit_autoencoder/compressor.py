"""``compressor``: squeezes image files into code files and restores them; shows what is lost on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from dlkit.data.encoding import Encoding
from dlkit.data.images import image_size
from dlkit.data.splits import Split
from dlkit.errors import DataError, UsageError
from dlkit.image_predictor import ImagePredictor, as_pictures
from dlkit.json_types import JsonObject
from dlkit.portable import Portable
from dlkit.predictor import Answer
from dlkit.question_schema import INTEGER, NUMBER, TEXT, TRUTH, base64_bytes, fields, maybe, several
from dlkit.samples import Images, Sample, Table
from dlkit_autoencoder import gallery
from dlkit_autoencoder.codes import (
    SUFFIX,
    Code,
    called,
    code_file,
    described,
    dumped,
    is_code,
    model_hash,
    read_code,
    rounded,
)
from dlkit_autoencoder.geometry import Fitting, inside
from dlkit_autoencoder.info import AutoencoderInfo
from dlkit_autoencoder.metrics import psnr
from dlkit_autoencoder.networks import Elsewhere, graphs
from dlkit_autoencoder.options import CompressorConfig
from dlkit_autoencoder.storage import scaled

_SHOWN = 32
"""Images at most that answers are shown on."""


class Compressor(ImagePredictor[AutoencoderInfo, CompressorConfig]):
    """Answers images of any size, grey or RGB, and code files, from ``info`` alone.

    An image is brought to the training images' form, encoded, rounded, and restored from what the file will hold.
    """

    usage = "image files, folders of them, or code files that this model made"
    placeholder = "an image file, a folder of them, or a code file"
    draws = True

    def make_encoding(self) -> Encoding:
        return scaled(self.channels)

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        """``psnr``, in dB, of what comes back against the model's own picture of the image, None where nothing is lost
        (and of a code file, where there is nothing to compare with); ``code_bytes`` of the numbers, ``file_bytes`` of
        the file around them, ``raw_bytes`` of that picture, ``ratio`` of raw to code; ``width`` and ``height`` of the
        original, ``brought_to`` what another size than the model's became; ``numbers``, the code as its file holds it,
        and whether it is of the negative (``inverted``). For files, ``file``.
        """
        model = model_hash(self.model)
        answers: list[Answer] = []
        for some in self.batches(inputs):
            images = [value for value in some if not is_code(value)]
            encoded = iter(self._compressed(images, model) if images else [])
            for value in some:
                code = code_file(value)
                answer = next(encoded) if code is None else self._restored(code, model)
                answers.append(self.with_file(answer, value))
        return answers

    def accept(self, value: object) -> object:
        """An image, or the bytes of a code file, in base64 too."""
        given = base64_bytes(value) if isinstance(value, str) else value
        if isinstance(given, bytes) and is_code(given):
            read_code(given)
            return given
        return super().accept(given)

    def portable(self) -> Portable:
        if not callable(getattr(self.model, "decode", None)):
            raise UsageError("this model has no decode(code): it can be exported as weights alone (safetensors)")
        given = {**self.images_given(), "bits": self.config.bits, "model": model_hash(self.model)}
        return Portable(graphs(self.model, self.info), given, partial(Elsewhere, self.model))

    def answer_schema(self) -> JsonObject:
        sizes = ["code_bytes", "file_bytes", "raw_bytes", "width", "height"]
        return fields({
            "psnr": {**maybe(NUMBER), "description": "in dB; null where nothing is lost, or nothing to compare with"},
            **dict.fromkeys(sizes, INTEGER),
            "ratio": NUMBER,
            "brought_to": TEXT,
            "inverted": TRUTH,
            "numbers": several(NUMBER),
        })  # fmt: skip

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        """The first images above what comes back, what the first code files hold, and a table of all."""
        pairs = list(zip(inputs, answers, strict=True))
        images = [pair for pair in pairs if not is_code(pair[0])][:_SHOWN]
        codes = [answer for value, answer in pairs if is_code(value)][:_SHOWN]
        shown: list[Sample] = []
        if images:
            originals = as_pictures(np.stack([self.prepared(value) for value, _ in images]))
            restored, captions = (
                self._pictures([answer for _, answer in images]),
                [gallery.decibels(answer["psnr"]) for _, answer in images],
            )
            rows = [(originals, ["original"] * len(images)), (restored, captions)]
            shown.append(gallery.stacked("images", "Originals above what comes back from their codes", rows))
        if codes:
            shown.append(Images(name="restored", title="Restored from their codes", images=self._pictures(codes)))
        headers = ["file", "size", "brought to", "PSNR", "code bytes", "file bytes", "raw bytes", "ratio"]
        return [*shown, Table(name="predictions", headers=headers, rows=[_row(*row) for row in enumerate(answers, 1)])]

    def draw(self, value: object, answer: Answer) -> Image.Image:
        """What comes back, at the original's resolution; of an image that was cropped, the part that the model saw."""
        return self._fitting((answer["width"], answer["height"])).back(Image.fromarray(self._pictures([answer])[0]))

    def files(self, value: object, answer: Answer) -> Mapping[str, bytes]:
        """An image's code file; of a code file none."""
        if is_code(value):
            return {}
        numbers = np.asarray(answer["numbers"], np.float32)
        code = Code(numbers, answer["width"], answer["height"], model_hash(self.model), answer["inverted"])
        return {SUFFIX: dumped(code, self.config.bits)}

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Validation images and what comes back, typical ones and the worst; of a model with a prior new images too."""
        return gallery.samples(self, count, rng, examples)

    def decoded(self, codes: Tensor) -> Tensor:
        """Codes [N,K] as images [N,C,H,W] in [0, 1] on the CPU; UsageError of a model that cannot."""
        decode = getattr(self.model, "decode", None)
        if decode is None:
            raise UsageError("this model has no decode(code): what it encodes cannot be restored from the code alone")
        parameter = next(self.model.parameters())
        self.model.eval()
        with torch.no_grad():
            parts = [decode(part.to(parameter.device)).float().cpu() for part in torch.split(codes, self.batch)]
        return torch.cat(parts).clamp(0, 1)

    def _compressed(self, values: Sequence[object], model: str) -> list[Answer]:
        images = self.encoding.encode(torch.from_numpy(np.stack([self.seen(value) for value in values])))
        codes = np.stack([rounded(row, self.config.bits) for row in self.forward(images)["code"].numpy()])
        errors = (self.decoded(torch.from_numpy(codes)) - images).square().flatten(1).mean(1).tolist()
        answers: list[Answer] = []
        for value, numbers, error in zip(values, codes, errors, strict=True):
            code = Code(numbers, *self._size(value), model, self.inverts)
            found = psnr(error)
            answers.append({"psnr": found if math.isfinite(found) else None, **self._described(code, self.config.bits)})
        return answers

    def _restored(self, source: Path | bytes, model: str) -> Answer:
        code, bits = read_code(source)
        if code.model != model:
            raise DataError(
                f"{called(source)}: made with other weights ({code.model}) than this model's ({model}): "
                "the run and the checkpoint that made it restore it"
            )
        return {"psnr": None, **self._described(code, bits)}

    def _described(self, code: Code, bits: Literal[8, 16]) -> Answer:
        return described(code, bits, math.prod(self.info.shape), self._fitting((code.width, code.height)).text)

    def _size(self, value: object) -> tuple[int, int]:
        """Width and height of an image, upright."""
        # Of a file, from its header: a large JPEG is decoded at a fraction of its size.
        if isinstance(value, (str, Path, bytes)):
            return image_size(value if isinstance(value, bytes) else Path(value))
        return self.opened(value).size

    def _fitting(self, original: tuple[int, int]) -> Fitting:
        return Fitting(original, (self.width, self.height), self.info.fit)

    def _pictures(self, answers: Sequence[Answer]) -> npt.NDArray[np.uint8]:
        """What answers restore to, uint8 [N,H,W] or [N,H,W,3]."""
        codes = torch.tensor([answer["numbers"] for answer in answers])
        pictures = self.encoding.pixels(self.decoded(codes))
        for picture, answer in zip(pictures, answers, strict=True):
            if answer["inverted"]:
                part = inside((answer["width"], answer["height"]), (self.width, self.height), self.info.fit)
                picture[part] = 255 - picture[part]
        return pictures


def _row(number: int, answer: Answer) -> list[str | float | int]:
    file = str(answer.get("file", number))
    loss = "" if is_code(file) else gallery.decibels(answer["psnr"])
    size = f"{answer['width']}x{answer['height']}"
    sizes = [answer[name] for name in ("code_bytes", "file_bytes", "raw_bytes")]
    return [file, size, answer["brought_to"], loss, *sizes, f"{answer['ratio']:.1f}x"]
