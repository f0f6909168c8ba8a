"""Whether an object is on an image, where and which, of an exported model: NumPy and Pillow alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlkit.answering import Answered, Values, sigmoid, softmax
from dlkit.image_answering import ImageAnswering


class BoxAnswering(ImageAnswering):
    """``given``: ``classes``, and ``threshold``, the probability from which on there is an object."""

    def predict(self, inputs: Sequence[object]) -> list[Answered]:
        """``present``, its ``probability``, ``class``, ``class_probability`` and ``box``, as ``Localizer.predict``."""
        answers: list[Answered] = []
        for some in self.batches(inputs):
            pixels, geometry = zip(*map(self.images.letterboxed, some), strict=True)
            outputs = self.run("model", image=self.encoded(pixels))["outputs"]
            boxes = self._corners(outputs[:, 1:5])
            each = zip(outputs, boxes, geometry, some, strict=True)
            answers += [self.with_file(self._answer(row, form.back(box[None])[0]), v) for row, box, form, v in each]
        return answers

    def _corners(self, box: Values) -> Values:
        """Centre, width and height, relative [N,4] → corners in pixels of the model's image, cut off at its edges."""
        middle, half = box[:, :2], box[:, 2:].clip(0) / 2
        inside: Values = np.concatenate([middle - half, middle + half], 1).clip(0, 1)
        width, height = self.images.width, self.images.height
        return inside * np.array([width, height, width, height], np.float32)

    def _answer(self, row: Values, box: Values) -> Answered:
        present, shares = float(sigmoid(row[:1])[0]), softmax(row[5:])
        there, best = present >= self.given["threshold"], int(shares.argmax())
        return {
            "present": there,
            "probability": present,
            "class": self.given["classes"][best] if there else None,
            "class_probability": float(shares[best]) if there else None,
            "box": [round(float(side), 2) for side in box] if there else None,
        }
