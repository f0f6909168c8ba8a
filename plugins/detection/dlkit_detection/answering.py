"""The objects of an image, of an exported model: NumPy and Pillow alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlkit.answering import Answered, Values
from dlkit.data.letterbox import Letterbox, clip
from dlkit.image_answering import ImageAnswering


class ObjectAnswering(ImageAnswering):
    """``given``: ``classes``; ``candidates``, boxes of an image that are considered; ``threshold``, ``overlap`` and
    ``most`` as the detector's options."""

    def predict(self, inputs: Sequence[object]) -> list[Answered]:
        """``objects``, ``width`` and ``height``, as ``Detector.predict``."""
        answers: list[Answered] = []
        for some in self.batches(inputs):
            pixels, geometry = zip(*map(self.images.letterboxed, some), strict=True)
            found = self.run("model", image=self.encoded(pixels))
            each = zip(found["boxes"], found["scores"], geometry, some, strict=True)
            answers += [self.with_file(self._answer(boxes, scores, form), v) for boxes, scores, form, v in each]
        return answers

    def _answer(self, boxes: Values, scores: Values, form: Letterbox) -> Answered:
        """Of one image: ``boxes`` [A,4] in the model's pixels, ``scores`` [A,classes]."""
        flat, classes = scores.reshape(-1), scores.shape[1]
        best = np.argsort(-flat, kind="stable")[: self.given["candidates"]]
        best = best[flat[best] >= self.given["threshold"]]
        inside = clip(boxes[best // classes], self.images.width, self.images.height)
        kept = suppressed(inside, flat[best], best % classes, self.given["overlap"])[: self.given["most"]]
        own = form.back(inside[kept]).tolist()
        each = zip((best[kept] % classes).tolist(), flat[best[kept]].tolist(), own, strict=True)
        objects = [
            {"class": self.given["classes"][label], "score": round(score, 4), "box": [round(side, 2) for side in box]}
            for label, score, box in each
        ]
        width, height = form.size
        return {"objects": objects, "width": width, "height": height}


def suppressed(boxes: Values, scores: Values, labels: Values, overlap: float) -> Values:
    """The rows that stay, int64, the surest first: of two boxes [K,4] of a class whose intersection over union is more
    than ``overlap``, the weaker one goes (torchvision's batched non-maximum suppression)."""
    order = np.argsort(-scores, kind="stable")
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    gone = np.zeros(len(boxes), bool)
    for row in order.tolist():
        if gone[row]:
            continue
        kept.append(row)
        low, high = np.maximum(boxes[row, :2], boxes[:, :2]), np.minimum(boxes[row, 2:], boxes[:, 2:])
        shared = (high - low).clip(0).prod(1)
        with np.errstate(invalid="ignore"):  # two boxes without an area: 0 / 0
            gone |= (labels == labels[row]) & (shared / (area[row] + area - shared) > overlap)
    return np.array(kept, np.int64)
