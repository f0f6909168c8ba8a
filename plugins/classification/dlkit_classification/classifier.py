"""``classifier``: names the class of image files, and shows what the model gets wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from dlkit.data.encoding import Encoding
from dlkit.data.images import any_image, fitted, named_images
from dlkit.data.splits import Split
from dlkit.errors import DataError
from dlkit.metrics.confusion import Confusion
from dlkit.predictor import Answer, Predictor
from dlkit.samples import Images, Sample, Table

BATCH = 250
EXAMPLES = 2000
"""Validation images that samples are chosen from."""

_SHOWN = 64
_FULL_TABLE = 20
"""Classes up to which the confusion matrix is shown whole; of more, the commonest confusions."""


class Classifier(Predictor):
    """Answers images of any size, grey or RGB, from ``info`` alone: they are brought to the training images' form."""

    usage = "image files, or folders of them"
    asks = "image"
    label = "image"
    placeholder = "an image file, or a folder of them"

    def __init__(self, model: Any, info: Any, config: Any) -> None:
        super().__init__(model, info, config)
        self._encoding = Encoding(info.mean, info.std)

    def read(self, arguments: Sequence[str]) -> list[Path]:
        """The files named and those in the folders named; each is decoded when it is its turn."""
        return named_images(arguments)

    def predict(self, inputs: Sequence[Any]) -> list[Answer]:
        """``class``, ``probability``, ``top`` (the most probable [name, probability]) and, for files, ``file``.

        Inputs are paths, PIL images, or uint8 arrays [H,W] or [H,W,3] (lists of such rows too).
        """
        answers: list[Answer] = []
        for first in range(0, len(inputs), BATCH):
            some = inputs[first : first + BATCH]
            images = torch.from_numpy(np.stack([self.prepared(value) for value in some]))
            probabilities = self.forward(self._encoding.encode(images)).softmax(1)
            answers += [self._answer(value, row) for value, row in zip(some, probabilities, strict=True)]
        return answers

    def show(self, inputs: Sequence[Any], answers: Sequence[Answer]) -> Sequence[Sample]:
        """The first images as the model sees them, with their answers, and a table of all."""
        pictures = torch.from_numpy(np.stack([self.prepared(value) for value in inputs[:_SHOWN]]))
        captions = [f"{answer['class']} {answer['probability']:.0%}" for answer in answers]
        rows = [
            [str(answer.get("file", number)), answer["class"], round(answer["probability"], 4)]
            for number, answer in enumerate(answers)
        ]
        return [
            Images(name="images", images=_drawable(pictures), captions=captions[:_SHOWN]),
            Table(name="predictions", headers=["file", "class", "probability"], rows=rows),
        ]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """A grid of validation images, mistakes first, and the confusion matrix over the images looked at."""
        if examples is None:
            return ()
        index = torch.from_numpy(np.sort(rng.permutation(len(examples))[:EXAMPLES]))
        judged = self._judged(index, examples)
        confusion = Confusion(len(self.info.classes))
        confusion.update(judged.predicted, judged.true)
        return [self._grid(judged.worst_first(count), examples), self._confusions(confusion.matrix())]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """A validation image as a PNG; none without the data, or where pictures cannot show what the model sees."""
        if examples is None or self.info.shape[0] not in (1, 3):
            return []
        chosen = torch.from_numpy(rng.integers(len(examples), size=1))
        picture = self._encoding.pixels(examples.take(chosen)["image"])[0]
        path = folder / f"validation-{int(chosen)}.png"
        Image.fromarray(255 - picture if self.config.invert else picture).save(path)
        return [str(path)]

    def prepared(self, value: Any) -> npt.NDArray[np.uint8]:
        """One input as uint8 [C,H,W] in the training images' form."""
        channels, height, width = self.info.shape
        if channels not in (1, 3):
            raise DataError(f"this model was trained on images of {channels} channels: image files cannot be answered")
        colour = channels == 3
        image = any_image(value, colour=colour, enough=max(height, width))
        pixels = fitted(image, height, width, self.info.fit)
        return 255 - pixels if self.config.invert else pixels

    def _answer(self, value: Any, probabilities: Tensor) -> Answer:
        top = probabilities.topk(min(self.config.top, len(probabilities)))
        named = [[self.info.classes[i], p] for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)]
        answer = {"class": named[0][0], "probability": named[0][1], "top": named}
        return {**answer, "file": str(value)} if isinstance(value, (str, Path)) else answer

    def _judged(self, index: Tensor, examples: Split) -> _Judged:
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        for rows in torch.split(index, BATCH):
            batch = examples.take(rows)
            probability, predicted = self.forward(batch["image"]).softmax(1).max(1)
            found.append((batch["label"].cpu(), predicted, probability))
        return _Judged(index, *(torch.cat(column) for column in zip(*found, strict=True)))

    def _grid(self, judged: _Judged, examples: Split) -> Images:
        classes, captions = self.info.classes, []
        for true, predicted, probability in judged:
            truth = "" if true == predicted else f"{classes[true]} → "
            captions.append(f"{truth}{classes[predicted]} {probability:.0%}")
        right = (judged.true == judged.predicted).tolist()
        pictures = self._encoding.pixels(examples.take(judged.index)["image"])
        title = "Validation images, mistakes first: true → predicted"
        return Images(name="images", title=title, images=pictures, captions=captions, good=right)

    def _confusions(self, matrix: Tensor) -> Table:
        classes, total = self.info.classes, int(matrix.sum())
        if len(classes) <= _FULL_TABLE:
            rows = [[name, *counts] for name, counts in zip(classes, matrix.tolist(), strict=True)]
            title = f"Confusion over {total} validation images: rows true, columns predicted"
            return Table(name="confusion", title=title, headers=["", *classes], rows=rows)
        wrong = matrix - matrix.diagonal().diag()
        counts, places = wrong.flatten().sort(descending=True, stable=True)
        pairs = zip(places.tolist(), counts[:_FULL_TABLE].tolist(), strict=False)
        rows = [[classes[place // len(classes)], classes[place % len(classes)], n] for place, n in pairs if n]
        title = f"Commonest confusions over {total} validation images"
        return Table(name="confusion", title=title, headers=["true", "predicted", "images"], rows=rows)


@dataclass(frozen=True)
class _Judged:
    """Samples by index, with their true and predicted labels and the prediction's probability; all [N], on the CPU."""

    index: Tensor
    true: Tensor
    predicted: Tensor
    probability: Tensor

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        return zip(self.true.tolist(), self.predicted.tolist(), self.probability.tolist(), strict=True)

    def worst_first(self, count: int) -> _Judged:
        """The mistakes, the most confident first, then what is right, the least confident first."""
        wrong = self.true != self.predicted
        order = torch.where(wrong, -1 - self.probability, self.probability).argsort(stable=True)[:count]
        return _Judged(self.index[order], self.true[order], self.predicted[order], self.probability[order])


def _drawable(images: Tensor) -> npt.NDArray[np.uint8]:
    """uint8 [N,C,H,W] as [N,H,W] or [N,H,W,3]."""
    return (images[:, 0] if images.shape[1] == 1 else images.permute(0, 2, 3, 1)).contiguous().numpy()
