"""``localizer``: says whether an object is on an image, where, and which; shows what the model gets wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from dlkit.metrics import selection
from dlkit.predictor import Answer
from dlkit.question_schema import CORNERS, SHARE, TRUTH, choice, fields, maybe
from dlkit.samples import Box, Boxes, Sample, Table
from dlkit_localization.info import LocalizationInfo
from dlkit_localization.metrics import judge
from dlkit_localization.options import LocalizerConfig
from dlkit_localization.outputs import corners, parts
from dlkit_localization.preview import NONE

EXAMPLES = 2000
"""Validation images that samples are chosen from."""

_SHOWN = 16
"""Images at most that answers or samples are shown on: each is a picture of its own."""


class Localizer(ImagePredictor[LocalizationInfo, LocalizerConfig]):
    """Answers images of any size, grey or RGB, from ``info`` alone: they are letter-boxed as the training images."""

    draws = True

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        """``present``, its ``probability``; ``class``, ``class_probability`` and ``box``, None where nothing is.

        The box is [x1, y1, x2, y2] in pixels of the image asked about, as it is seen upright. For files, ``file``.
        """
        answers: list[Answer] = []
        for some in self.batches(inputs):
            images, geometry = zip(*map(self.letterboxed, some), strict=True)
            outputs = self.forward(self.encoding.encode(torch.from_numpy(np.stack(images))))
            found = zip(self._answers(outputs, geometry), some, strict=True)
            answers += [self.with_file(answer, value) for answer, value in found]
        return answers

    def answer_schema(self) -> JsonObject:
        found = {"class": maybe(choice(self.info.classes)), "class_probability": maybe(SHARE), "box": maybe(CORNERS)}
        return fields({"present": TRUTH, "probability": SHARE, **found})

    def given(self) -> Given:
        return {"classes": list(self.info.classes), "threshold": self.config.threshold}

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        """The first images with their boxes, and a table of all."""
        shown: list[Sample] = [
            self._shown(number, value, answer)
            for number, (value, answer) in enumerate(zip(inputs[:_SHOWN], answers, strict=False), 1)
        ]
        headers = ["file", "object", "probability", "class", "class probability", "box (x1, y1, x2, y2)"]
        rows = [_row(number, answer) for number, answer in enumerate(answers, 1)]
        return [*shown, Table(name="predictions", headers=headers, rows=rows)]

    def draw(self, value: object, answer: Answer) -> Image.Image:
        """The image at its own size with the box on it, if there is one."""
        return draw_boxes(self.opened(value), _predicted(answer))

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Validation images with true and predicted box, the worst first, and a table of what went how well."""
        if examples is None:
            return ()
        index = selection.some_indices(len(examples), EXAMPLES, rng)
        judged = self._judged(index, examples)
        order = worst_first(judged)[: min(count, _SHOWN)]
        return [*self.compared(index[order], examples), _summary(judged)]

    def compared(self, index: Tensor, examples: Split) -> list[Boxes]:
        """Images of a split with true and predicted box, in the order of ``index`` int64 [N]."""
        judged = self._judged(index, examples)
        pictures = self.encoding.pixels(examples.take(index)["image"])
        return [self._compared(picture, judged, i) for i, picture in enumerate(pictures)]

    def _answers(self, outputs: Tensor, geometry: Sequence[Letterbox]) -> list[Answer]:
        found = parts(outputs)
        present, (sure, label) = found.present.sigmoid(), found.classes.softmax(1).max(1)
        boxes = corners(found.box, self.height, self.width).numpy()
        answers: list[Answer] = []
        for i, form in enumerate(geometry):
            there = bool(present[i] >= self.config.threshold)
            box = [round(float(side), 2) for side in form.back(boxes[i : i + 1])[0]]
            answers.append({
                "present": there,
                "probability": float(present[i]),
                "class": self.info.classes[int(label[i])] if there else None,
                "class_probability": float(sure[i]) if there else None,
                "box": box if there else None,
            })  # fmt: skip
        return answers

    def _shown(self, number: int, value: object, answer: Answer) -> Boxes:
        boxes = _predicted(answer)
        title = str(answer.get("file", number)) + ("" if boxes else f": no object ({answer['probability']:.0%})")
        return Boxes(name=f"answer-{number:02}", title=title, image=np.asarray(self.opened(value)), boxes=boxes)

    def _judged(self, index: Tensor, examples: Split) -> dict[str, Tensor]:
        """What is true, what is predicted, and how right that is, image by image: columns [N] and [N,4] on the CPU."""
        found: list[dict[str, Tensor]] = []
        for rows in torch.split(index, self.batch):
            batch = {name: column.cpu() for name, column in examples.take(rows).items()}
            outputs = self.forward(batch["image"])
            guess = parts(outputs)
            sure, label = guess.classes.softmax(1).max(1)
            found.append({
                **judge(outputs, batch),
                "true_box": batch["box"],
                "true_label": batch["label"],
                "present": guess.present.sigmoid(),
                "box": guess.box,
                "label": label,
                "sure": sure,
            })  # fmt: skip
        return {name: torch.cat([columns[name] for columns in found]) for name in found[0]}

    def _compared(self, picture: npt.NDArray[np.uint8], judged: Mapping[str, Tensor], i: int) -> Boxes:
        """One image with its true box and the predicted one; false where it is not strictly right."""
        true, present = int(judged["true_label"][i]), float(judged["present"][i])
        strict, classes = bool(judged["strict"][i]), self.info.classes
        boxes = []
        if true >= 0:
            role = "true" if present > 0.5 else "missed"
            boxes.append(Box(corners=self._corners(judged["true_box"][i]), label=classes[true], role=role))
        if present > 0.5:
            score, role = present * float(judged["sure"][i]), "predicted" if strict else "false"
            guess = classes[int(judged["label"][i])]
            boxes.append(Box(corners=self._corners(judged["box"][i]), label=guess, score=score, role=role))
        found = f"{classes[int(judged['label'][i])]} {judged['sure'][i]:.0%}" if present > 0.5 else NONE
        overlap = f", IoU {judged['iou'][i]:.2f}" if true >= 0 and present > 0.5 else ""
        title = f"{classes[true] if true >= 0 else NONE} → {found} (object {present:.0%}{overlap})"
        verdict = "right" if strict else "wrong"
        return Boxes(name=f"{i + 1:02}", title=f"{verdict}: {title}", image=picture, boxes=boxes)

    def _corners(self, box: Tensor) -> tuple[float, float, float, float]:
        x1, y1, x2, y2 = corners(box[None], self.height, self.width)[0].tolist()
        return x1, y1, x2, y2


def worst_first(judged: Mapping[str, Tensor]) -> Tensor:
    """Indices [N]: what is not strictly right, the surest first; then what is right, the least overlap first."""
    there = judged["true_label"] >= 0
    sure = torch.where(judged["present"] > 0.5, judged["present"] * judged["sure"], 1 - judged["present"])
    fine = torch.where(there, judged["iou"], sure)
    return selection.worst_first(~judged["strict"], sure, fine)


def _predicted(answer: Answer) -> list[Box]:
    if answer["box"] is None:
        return []
    x1, y1, x2, y2 = answer["box"]
    return [Box(corners=(x1, y1, x2, y2), label=answer["class"], score=answer["class_probability"])]


def _row(number: int, answer: Answer) -> list[str | float | int]:
    box, sure = answer["box"], answer["class_probability"]
    return [
        str(answer.get("file", number)),
        "yes" if answer["present"] else "no",
        round(answer["probability"], 4),
        answer["class"] or "",
        "" if sure is None else round(sure, 4),
        "" if box is None else ", ".join(f"{side:g}" for side in box),
    ]


def _summary(judged: Mapping[str, Tensor]) -> Table:
    """How many of the images were right, and how many were wrong in which way."""
    there, seen = judged["true_label"] >= 0, judged["seen"]
    missed, false = there & ~seen, ~there & ~seen
    misplaced, misnamed = there & seen & (judged["iou"] <= 0.5), there & seen & ~judged["named"]
    kinds = {
        "all right": judged["strict"],
        "object missed": missed,
        "object where none is": false,
        "wrong class": misnamed & ~misplaced,
        "wrong place": misplaced & ~misnamed,
        "wrong class and place": misplaced & misnamed,
    }
    rows: list[list[str | int]] = [
        [name, int(which.sum()), f"{which.float().mean():.1%}"] for name, which in kinds.items()
    ]
    title = f"Of {len(there)} validation images"
    return Table(name="verdicts", title=title, headers=["verdict", "images", "share"], rows=rows)
