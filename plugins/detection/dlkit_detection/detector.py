"""``detector``: finds objects on image files, draws them, and shows what the model misses and makes up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch import Tensor

from dlkit.data.boxes import Letterbox
from dlkit.data.drawing import draw_boxes
from dlkit.data.encoding import Encoding
from dlkit.data.images import any_image, named_images
from dlkit.data.splits import Split
from dlkit.errors import DataError
from dlkit.predictor import Answer, Predictor
from dlkit.samples import Box, Boxes, Sample, Table
from dlkit_detection.decoding import Objects, Verdict, candidates, judge, settle

BATCH = 100
EXAMPLES = 1000
"""Validation images that samples are chosen from."""
SHOWN = 32
"""Images that answers are shown on."""


class Detector(Predictor):
    """Answers images of any size, grey or RGB, from ``info`` alone; boxes are in the pixels of each image itself."""

    usage = "image files, or folders of them"
    asks = "image"
    label = "image"
    placeholder = "an image file, or a folder of them"
    draws = True

    def __init__(self, model: Any, info: Any, config: Any) -> None:
        super().__init__(model, info, config)
        self._encoding = Encoding(info.mean, info.std)
        self._channels, self._height, self._width = info.shape

    def read(self, arguments: Sequence[str]) -> list[Path]:
        """The files named and those in the folders named; each is decoded when it is its turn."""
        return named_images(arguments)

    def predict(self, inputs: Sequence[Any]) -> list[Answer]:
        """``objects`` (each ``class``, ``score`` and ``box`` x1, y1, x2, y2 in the image's pixels, the surest first),
        the image's ``width`` and ``height`` and, for files, ``file``.

        Inputs are paths, PIL images, or uint8 arrays [H,W] or [H,W,3].
        """
        answers: list[Answer] = []
        for first in range(0, len(inputs), BATCH):
            some = inputs[first : first + BATCH]
            images = [self._opened(value) for value in some]
            letterboxes = [Letterbox(image.size, (self._width, self._height)) for image in images]
            pixels = [self._placed(image, box) for image, box in zip(images, letterboxes, strict=True)]
            found = self._found(self._encoding.encode(torch.from_numpy(np.stack(pixels))))
            answers += [self._answer(*one) for one in zip(some, letterboxes, found, strict=True)]
        return answers

    def draw(self, value: Any, answer: Answer) -> Image.Image:
        return draw_boxes(self._opened(value, as_it_is=True), _answered(answer))

    def show(self, inputs: Sequence[Any], answers: Sequence[Answer]) -> Sequence[Sample]:
        """The first images with the boxes found on them, and a table of all objects."""
        shown: list[Sample] = []
        for number, (value, answer) in enumerate(zip(inputs[:SHOWN], answers, strict=False)):
            image = np.asarray(self._opened(value, as_it_is=True))
            name = str(answer.get("file", number))
            shown.append(Boxes(name=f"image-{number}", title=name, image=image, boxes=_answered(answer)))
        rows = [
            [str(answer.get("file", number)), item["class"], round(item["score"], 4), *map(round, item["box"])]
            for number, answer in enumerate(answers)
            for item in answer["objects"]
        ]
        return [*shown, Table(name="objects", headers=["file", "class", "score", "x1", "y1", "x2", "y2"], rows=rows)]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Validation images with what was found, missed and made up, the worst first, and a table by class."""
        if examples is None:
            return ()
        index = torch.from_numpy(np.sort(rng.permutation(len(examples))[:EXAMPLES]))
        judged = [one for rows in torch.split(index, BATCH) for one in self._judged(rows, examples)]
        worst = sorted(judged, key=lambda one: one.badness, reverse=True)[:count]
        pictures = self._encoding.pixels(examples.take(torch.tensor([one.index for one in worst]))["image"])
        shown = [self._picture(*ranked) for ranked in zip(range(1, count + 1), worst, pictures, strict=False)]
        return [*shown, self._by_class(judged)]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """A validation image as a PNG; none without the data, or where pictures cannot show what the model sees."""
        if examples is None or self._channels not in (1, 3):
            return []
        chosen = torch.from_numpy(rng.integers(len(examples), size=1))
        picture = self._encoding.pixels(examples.take(chosen)["image"])[0]
        path = folder / f"validation-{int(chosen)}.png"
        Image.fromarray(255 - picture if self.config.invert else picture).save(path)
        return [str(path)]

    def _opened(self, value: Any, *, as_it_is: bool = False) -> Image.Image:
        """An input as an image of its own size, in the model's colours, or in its own to be looked at."""
        if self._channels not in (1, 3):
            raise DataError(f"this model was trained on images of {self._channels} channels: files cannot be answered")
        return any_image(value, colour=as_it_is or self._channels == 3)

    def _placed(self, image: Image.Image, letterbox: Letterbox) -> npt.NDArray[np.uint8]:
        """uint8 [C,H,W] as the model is trained on; what is beside the image is black, inverted or not."""
        if self.config.invert:
            image = ImageOps.invert(image)
        return letterbox.place(image)

    def _found(self, images: Tensor) -> list[Objects]:
        """The objects of encoded images [N,C,H,W]."""
        rows = candidates(self.forward(images), (self._height, self._width))
        options = {"threshold": self.config.threshold, "overlap": self.config.overlap, "most": self.config.most}
        return [settle(row, **options) for row in rows]

    def _answer(self, value: Any, letterbox: Letterbox, found: Objects) -> Answer:
        boxes = letterbox.back(found.boxes.numpy()).tolist()
        each = zip(found.labels.tolist(), found.scores.tolist(), boxes, strict=True)
        objects = [
            {"class": self.info.classes[label], "score": round(score, 4), "box": [round(side, 2) for side in box]}
            for label, score, box in each
        ]
        width, height = letterbox.size
        answer = {"objects": objects, "width": width, "height": height}
        return {**answer, "file": str(value)} if isinstance(value, (str, Path)) else answer

    def _judged(self, rows: Tensor, examples: Split) -> list[_Judged]:
        batch = {key: column.cpu() for key, column in examples.take(rows).items()}
        judged = []
        for index, found, boxes, labels in zip(
            rows.tolist(), self._found(batch["image"]), batch["boxes"], batch["labels"], strict=True
        ):
            true, known = boxes[labels >= 0], labels[labels >= 0]
            judged.append(_Judged(index, found, true, known, judge(found, true, known)))
        return judged

    def _picture(self, rank: int, one: _Judged, pixels: npt.NDArray[np.uint8]) -> Boxes:
        """Named by its rank, so that an interface stays at the worst one from sampling to sampling."""
        classes, verdict = self.info.classes, one.verdict
        boxes = [
            Box(corners=_corners(one.boxes[i]), label=classes[int(one.labels[i])], role="missed")
            for i in verdict.missed
        ]
        for i, hit in enumerate(verdict.hits):
            label, score = classes[int(one.found.labels[i])], float(one.found.scores[i])
            role = "predicted" if hit >= 0 else "false"
            boxes.append(Box(corners=_corners(one.found.boxes[i]), label=label, score=score, role=role))
        false = sum(hit < 0 for hit in verdict.hits)
        title = f"Validation image {one.index}: {len(verdict.hits) - false} of {len(one.labels)} found"
        mistakes = [f"{false} false"] if false else []
        return Boxes(name=f"worst-{rank:02}", title=", ".join([title, *mistakes]), image=pixels, boxes=boxes)

    def _by_class(self, judged: Sequence[_Judged]) -> Table:
        objects, missed, false = (np.zeros(len(self.info.classes), np.int64) for _ in range(3))
        for one in judged:
            np.add.at(objects, one.labels.numpy(), 1)
            np.add.at(missed, one.labels.numpy()[one.verdict.missed], 1)
            np.add.at(false, one.found.labels.numpy()[[hit < 0 for hit in one.verdict.hits]], 1)
        rows = [
            [name, *numbers]
            for name, *numbers in zip(
                self.info.classes, objects.tolist(), (objects - missed).tolist(), missed.tolist(), false.tolist(),
                strict=True,
            )
        ]  # fmt: skip
        title = f"Objects on {len(judged):,} validation images, at a score of {self.config.threshold:g} or more"
        return Table(name="classes", title=title, headers=["class", "objects", "found", "missed", "false"], rows=rows)


@dataclass(frozen=True)
class _Judged:
    """A validation image: what was found, what there is (``boxes`` [M,4], ``labels`` [M]), and how they compare."""

    index: int
    found: Objects
    boxes: Tensor
    labels: Tensor
    verdict: Verdict

    @property
    def badness(self) -> float:
        """Mistakes first, surer ones above; then what is found, where the boxes fit worst."""
        false = sum(
            1 + float(score) for score, hit in zip(self.found.scores, self.verdict.hits, strict=True) if hit < 0
        )
        loose = [1 - overlap for overlap, hit in zip(self.verdict.overlaps, self.verdict.hits, strict=True) if hit >= 0]
        return false + len(self.verdict.missed) + max(loose, default=0.0) / 100


def _corners(box: Tensor) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box.tolist()
    return x1, y1, x2, y2


def _answered(answer: Answer) -> list[Box]:
    return [Box(corners=tuple(item["box"]), label=item["class"], score=item["score"]) for item in answer["objects"]]
