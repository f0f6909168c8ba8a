"""How the trained model is asked, and what people see of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from dlkit.data.splits import Split
from dlkit.image_predictor import ImagePredictor, as_pictures
from dlkit.json_types import JsonObject
from dlkit.predictor import Answer
from dlkit.question_schema import SHARE, TRUTH, choice, fields
from dlkit.samples import Images, Sample
from dlkit_classification.info import ClassificationInfo
from torch import Tensor

from dlkit_my_plugin.options import Options

LOOKED_AT = 500
"""Validation images that the doubtful ones are chosen from: samples must not take as long as an evaluation."""


class Margins(ImagePredictor[ClassificationInfo, Options]):
    """Images of any size → the two likeliest classes. The base class opens files and fits them to the model."""

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        answers: list[Answer] = []
        for some in self.batches(inputs):
            images = torch.from_numpy(np.stack([self.seen(value) for value in some]))
            shares = self.forward(self.encoding.encode(images)).softmax(1)
            answers += [self.with_file(self._answer(row), value) for row, value in zip(shares, some, strict=True)]
        return answers

    def answer_schema(self) -> JsonObject:
        classes = choice(self.info.classes)
        return fields({"class": classes, "second": classes, "margin": SHARE, "doubtful": TRUTH})

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        pictures = as_pictures(np.stack([self.seen(value) for value in inputs]))
        return [Images(name="asked", images=pictures, captions=[_caption(answer) for answer in answers])]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """The validation images of the smallest margins."""
        if examples is None:  # a checkpoint without its data
            return ()
        batch = examples.take(torch.from_numpy(rng.permutation(len(examples))[:LOOKED_AT]))
        answers = [self._answer(row) for row in self.forward(batch["image"]).softmax(1)]
        chosen = sorted(range(len(answers)), key=lambda at: float(answers[at]["margin"]))[: max(1, count)]
        true = [self.info.classes[int(batch["label"][at])] for at in chosen]
        return [
            Images(
                name="doubtful",
                title="Validation images that the model is least sure of",
                images=self.encoding.pixels(batch["image"][chosen]),
                captions=[_caption(answers[at]) for at in chosen],
                good=[answers[at]["class"] == name for at, name in zip(chosen, true, strict=True)],
            )
        ]

    def _answer(self, shares: Tensor) -> Answer:
        (first, second), (best, next_best) = (found.tolist() for found in shares.topk(2))
        margin = first - second
        classes = self.info.classes
        doubtful = margin < self.config.doubt
        return {"class": classes[best], "second": classes[next_best], "margin": margin, "doubtful": doubtful}


def _caption(answer: Answer) -> str:
    return f"{answer['class']} or {answer['second']}?" if answer["doubtful"] else str(answer["class"])
