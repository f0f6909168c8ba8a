"""``classifier``: names the class of image files, and shows what the model gets wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from dlkit.answering import Given
from dlkit.data.splits import Split
from dlkit.image_predictor import ImagePredictor, as_pictures
from dlkit.json_types import JsonObject
from dlkit.metrics.confusion import Confusion
from dlkit.metrics.selection import some_indices, worst_first
from dlkit.predictor import Answer
from dlkit.question_schema import SHARE, choice, fields, several
from dlkit.samples import ConfusionMatrix, Images, Sample, Table
from dlkit_classification.info import ClassificationInfo
from dlkit_classification.options import ClassifierConfig

EXAMPLES = 2000
"""Validation images that samples are chosen from."""

_SHOWN = 64
_OPENED, _OF_A_CELL, _PIXELS = 100, 6, 2_000_000
"""Mistaken images at most that the confusion matrix can open; of one mistake; and their pixels, which are stored."""
_FULL_TABLE = 20
"""Classes up to which the confusion matrix is shown whole; of more, the commonest confusions."""


class Classifier(ImagePredictor[ClassificationInfo, ClassifierConfig]):
    """Answers images of any size, grey or RGB, from ``info`` alone: they are brought to the training images' form."""

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        """``class``, ``probability``, ``top`` (the most probable [name, probability]) and, for files, ``file``."""
        answers: list[Answer] = []
        for some in self.batches(inputs):
            images = torch.from_numpy(np.stack([self.seen(value) for value in some]))
            probabilities = self.forward(self.encoding.encode(images)).softmax(1)
            answers += [
                self.with_file(self._answer(row), value) for value, row in zip(some, probabilities, strict=True)
            ]
        return answers

    def given(self) -> Given:
        return {"classes": list(self.info.classes), "top": self.config.top}

    def answer_schema(self) -> JsonObject:
        top: JsonObject = {"type": "array", "prefixItems": [choice(self.info.classes), SHARE], "minItems": 2}
        return fields({"class": choice(self.info.classes), "probability": SHARE, "top": several(top)})

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        """The first images as the model sees them, with their answers, and a table of all."""
        pictures = as_pictures(np.stack([self.seen(value) for value in inputs[:_SHOWN]]))
        captions = [f"{answer['class']} {answer['probability']:.0%}" for answer in answers]
        rows = [
            [str(answer.get("file", number)), answer["class"], round(answer["probability"], 4)]
            for number, answer in enumerate(answers)
        ]
        return [
            Images(name="images", images=pictures, captions=captions[:_SHOWN]),
            Table(name="predictions", headers=["file", "class", "probability"], rows=rows),
        ]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """A grid of validation images, mistakes first, and the confusion matrix of the images sampled."""
        if examples is None:
            return ()
        # Of a part of the split: making samples must not take as long as an evaluation.
        judged = self._judged(some_indices(len(examples), EXAMPLES, rng), examples)
        confusion = Confusion(len(self.info.classes))
        confusion.update(judged.predicted, judged.true)
        return [self._grid(judged.worst_first(count), examples), self._confusions(confusion.matrix(), judged, examples)]

    def _answer(self, probabilities: Tensor) -> Answer:
        top = probabilities.topk(min(self.config.top, len(probabilities)))
        named = [[self.info.classes[i], p] for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)]
        return {"class": named[0][0], "probability": named[0][1], "top": named}

    def _judged(self, index: Tensor, examples: Split) -> _Judged:
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        for rows in torch.split(index, self.batch):
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
        pictures = self.encoding.pixels(examples.take(judged.index)["image"])
        title = "Validation images, mistakes first: true → predicted"
        return Images(name="images", title=title, images=pictures, captions=captions, good=right)

    def _confusions(self, matrix: Tensor, judged: _Judged, examples: Split) -> Sample:
        classes, total = self.info.classes, int(matrix.sum())
        if len(classes) <= _FULL_TABLE:
            title = f"Confusion over {total} validation images: rows true, columns predicted"
            found = ConfusionMatrix(name="confusion", title=title, classes=classes, counts=matrix.tolist())
            return self._with_mistakes(found, judged, examples)
        wrong = matrix - matrix.diagonal().diag()
        counts, places = wrong.flatten().sort(descending=True, stable=True)
        pairs = zip(places.tolist(), counts[:_FULL_TABLE].tolist(), strict=False)
        rows = [[classes[place // len(classes)], classes[place % len(classes)], n] for place, n in pairs if n]
        title = f"Commonest confusions over {total} validation images"
        return Table(name="confusion", title=title, headers=["true", "predicted", "images"], rows=rows)

    def _with_mistakes(self, matrix: ConfusionMatrix, judged: _Judged, examples: Split) -> ConfusionMatrix:
        wrong = judged.mistakes(min(_OPENED, _PIXELS // math.prod(self.info.shape[1:])))
        if not len(wrong.index):
            return matrix
        return replace(
            matrix,
            images=self.encoding.pixels(examples.take(wrong.index)["image"]),
            cells=[(true, predicted) for true, predicted, _ in wrong],
            captions=[f"{probability:.0%}" for *_, probability in wrong],
        )


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
        return self._of(worst_first(self.true != self.predicted, self.probability)[:count])

    def mistakes(self, count: int) -> _Judged:
        """The surest mistakes, of no kind more than ``_OF_A_CELL``."""
        kept: list[int] = []
        taken: dict[tuple[int, int], int] = {}
        wrong = self.true != self.predicted
        for place in worst_first(wrong, self.probability)[: int(wrong.sum())].tolist():
            cell = int(self.true[place]), int(self.predicted[place])
            taken[cell] = taken.get(cell, 0) + 1
            if taken[cell] <= _OF_A_CELL:
                kept.append(place)
        return self._of(torch.tensor(kept[:count], dtype=torch.int64))

    def _of(self, order: Tensor) -> _Judged:
        return _Judged(self.index[order], self.true[order], self.predicted[order], self.probability[order])
