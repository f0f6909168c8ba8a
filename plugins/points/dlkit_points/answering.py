"""The class of a point, of an exported model: NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlkit.answering import Answered, Answering, Given, RunGraph, Values, sigmoid, softmax
from dlkit.data.tables import Reading
from dlkit_points.asked import Asked, Point


class PointAnswering(Answering):
    """``given``: ``classes``, ``decides`` (how scores become shares), and the fields of ``Asked``."""

    usage = "points as x,y such as 0.5,-0.2, or a CSV file with their columns"
    asks = "row"

    def __init__(self, given: Given, run: RunGraph) -> None:
        super().__init__(given, run)
        (x, y), mean, std = given["axes"], given["mean"], given["std"]
        self._asked = Asked((x, y), (mean[0], mean[1]), (std[0], std[1]), Reading(**given["reading"]))

    def read(self, words: Sequence[str]) -> list[Point]:
        return self._asked.read(words)

    def accept(self, value: object) -> Point:
        return self._asked.accept(value)

    def predict(self, inputs: Sequence[object]) -> list[Answered]:
        """``class``, ``share`` and ``shares``, as ``Explorer.predict``."""
        if not inputs:
            return []
        scores = self.run("model", point=self._asked.seen(self._asked.points(inputs)))["outputs"]
        return [self._answer(row) for row in shares(scores, self.given["decides"]).tolist()]

    def _answer(self, row: Sequence[float]) -> Answered:
        classes, best = self.given["classes"], max(range(len(row)), key=row.__getitem__)
        return {"class": classes[best], "share": row[best], "shares": dict(zip(classes, row, strict=True))}


def shares(scores: Values, decides: str) -> Values:
    """What each class has of a point [N,classes]; a step leaves all to one (``dlkit_points.shown.shares``)."""
    if decides == "step":
        whole: Values = np.eye(scores.shape[1], dtype=scores.dtype)[scores.argmax(1)]
        return whole
    if decides == "sigmoid":
        each = sigmoid(scores)
        found: Values = each / each.sum(1, keepdims=True).clip(1e-12)
        return found
    return softmax(scores)
