"""``detector``: finds objects on image files, draws them, and shows what the model misses and makes up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from dlkit.answering import Given
from dlkit.data.drawing import draw_boxes
from dlkit.data.letterbox import Letterbox
from dlkit.data.splits import Split
from dlkit.image_predictor import ImagePredictor
from dlkit.json_types import JsonObject
from dlkit.metrics.selection import some_indices
from dlkit.predictor import Answer
from dlkit.question_schema import CORNERS, INTEGER, SHARE, choice, fields, several
from dlkit.samples import Box, Boxes, Sample, Table
from dlkit_detection.decoding import CANDIDATES, FALSE, Objects, Verdict, candidates, judge, select_objects
from dlkit_detection.info import DetectionInfo
from dlkit_detection.options import DetectorConfig

EXAMPLES = 1000
"""Validation images that samples are chosen from."""
SHOWN = 32
"""Images that answers are shown on."""


class Detector(ImagePredictor[DetectionInfo, DetectorConfig]):
    """Answers images of any size, grey or RGB, from ``info`` alone; boxes are in the pixels of each image itself."""

    draws = True
    batch = 100

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        """``objects`` (each ``class``, ``score`` and ``box`` x1, y1, x2, y2 in the image's pixels, the surest first),
        the image's ``width`` and ``height`` and, for files, ``file``.
        """
        answers: list[Answer] = []
        for some in self.batches(inputs):
            pixels, letterboxes = zip(*map(self.letterboxed, some), strict=True)
            found = self._found(self.encoding.encode(torch.from_numpy(np.stack(pixels))))
            described = map(self._answer, letterboxes, found)
            answers += [self.with_file(answer, value) for answer, value in zip(described, some, strict=True)]
        return answers

    def answer_schema(self) -> JsonObject:
        found = fields({"class": choice(self.info.classes), "score": SHARE, "box": CORNERS})
        return fields({"objects": several(found), "width": INTEGER, "height": INTEGER})

    def given(self) -> Given:
        options = {name: getattr(self.config, name) for name in ("threshold", "overlap", "most")}
        return {"classes": list(self.info.classes), "candidates": CANDIDATES, **options}

    def draw(self, value: object, answer: Answer) -> Image.Image:
        """The image at its own size and in its own colours, with the boxes found."""
        return draw_boxes(self.opened(value, colour=True), _answered(answer))

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        """The first images with the boxes found on them, and a table of all objects."""
        shown: list[Sample] = []
        for number, (value, answer) in enumerate(zip(inputs[:SHOWN], answers, strict=False)):
            image = np.asarray(self.opened(value, colour=True))
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
        index = some_indices(len(examples), EXAMPLES, rng)
        judged = [one for rows in torch.split(index, self.batch) for one in self._judged(rows, examples)]
        worst = sorted(judged, key=lambda one: one.badness, reverse=True)[:count]
        pictures = self.encoding.pixels(examples.take(torch.tensor([one.index for one in worst]))["image"])
        shown = [self._picture(*ranked) for ranked in zip(range(1, count + 1), worst, pictures, strict=False)]
        return [*shown, self._by_class(judged)]

    def _found(self, images: Tensor) -> list[Objects]:
        """The objects of encoded images [N,C,H,W]."""
        rows = candidates(self.forward(images), (self.height, self.width))
        options = self.config
        return [
            select_objects(row, threshold=options.threshold, overlap=options.overlap, most=options.most) for row in rows
        ]

    def _answer(self, letterbox: Letterbox, found: Objects) -> Answer:
        boxes = letterbox.back(found.boxes.numpy()).tolist()
        each = zip(found.labels.tolist(), found.scores.tolist(), boxes, strict=True)
        objects = [
            {"class": self.info.classes[label], "score": round(score, 4), "box": [round(side, 2) for side in box]}
            for label, score, box in each
        ]
        width, height = letterbox.size
        return {"objects": objects, "width": width, "height": height}

    def _judged(self, rows: Tensor, examples: Split) -> list[_Judged]:
        batch = {key: column.cpu() for key, column in examples.take(rows).items()}
        judged = []
        for index, found, boxes, labels in zip(
            rows.tolist(), self._found(batch["image"]), batch["boxes"], batch["labels"], strict=True
        ):
            true, known = boxes[labels >= 0], labels[labels >= 0]
            # Those that are ignored come last, so that a hit is a number of the others.
            aside = labels < -1
            verdict = judge(found, torch.cat([true, boxes[aside]]), torch.cat([known, labels[aside]]))
            judged.append(_Judged(index, found, true, known, verdict))
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
            role = "false" if hit == FALSE else "predicted"
            boxes.append(Box(corners=_corners(one.found.boxes[i]), label=label, score=score, role=role))
        false = len(verdict.false)
        title = f"Validation image {one.index}: {len(verdict.right)} of {len(one.labels)} found"
        mistakes = [f"{false} false"] if false else []
        return Boxes(name=f"worst-{rank:02}", title=", ".join([title, *mistakes]), image=pixels, boxes=boxes)

    def _by_class(self, judged: Sequence[_Judged]) -> Table:
        objects, missed, false = (np.zeros(len(self.info.classes), np.int64) for _ in range(3))
        for one in judged:
            np.add.at(objects, one.labels.numpy(), 1)
            np.add.at(missed, one.labels.numpy()[one.verdict.missed], 1)
            np.add.at(false, one.found.labels.numpy()[one.verdict.false], 1)
        found = objects - missed
        rows: list[list[str | float]] = [
            [name, n, right, _share(right, n), lacking, made_up, _share(right, right + made_up)]
            for name, n, right, lacking, made_up in zip(
                self.info.classes, objects.tolist(), found.tolist(), missed.tolist(), false.tolist(), strict=True
            )
        ]
        title = f"Objects on {len(judged):,} validation images, at a score of {self.config.threshold:g} or more"
        headers = ["class", "objects", "found", "recall", "missed", "false", "precision"]
        return Table(name="classes", title=title, headers=headers, rows=rows, shares=(3, 6))


def _share(part: int, whole: int) -> str | float:
    """Nothing, of nothing."""
    return part / whole if whole else ""


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
        false = sum(1 + float(self.found.scores[i]) for i in self.verdict.false)
        loose = [1 - self.verdict.overlaps[i] for i in self.verdict.right]
        return false + len(self.verdict.missed) + max(loose, default=0.0) / 100


def _corners(box: Tensor) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box.tolist()
    return x1, y1, x2, y2


def _answered(answer: Answer) -> list[Box]:
    return [Box(corners=tuple(item["box"]), label=item["class"], score=item["score"]) for item in answer["objects"]]
