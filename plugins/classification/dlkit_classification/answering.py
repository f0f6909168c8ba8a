"""The class of an image, of an exported model: NumPy and Pillow alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlkit.answering import Answered, Values, alike, softmax
from dlkit.image_answering import ImageAnswering


class ClassAnswering(ImageAnswering):
    """``given``: ``classes``, and ``top``, how many of them an answer names."""

    def predict(self, inputs: Sequence[object]) -> list[Answered]:
        """``class``, ``probability``, ``top`` (the most probable [name, probability]) and, for files, ``file``."""
        answers: list[Answered] = []
        for some in self.batches(inputs):
            images = self.encoded([self.images.seen(value) for value in some])
            shares = softmax(self.run("model", image=images)["outputs"])
            answers += [self.with_file(self._answer(row), value) for value, row in zip(some, shares, strict=True)]
        return answers

    @classmethod
    def alike(cls, one: Answered, other: Answered) -> bool:
        """Of classes that are equally likely, either may stand first."""
        tops = [answer["top"] for answer in (one, other)]
        names, shares = ([[pair[i] for pair in top] for top in tops] for i in (0, 1))
        same = {key: value for key, value in one.items() if key not in ("class", "top")}
        rest = {key: value for key, value in other.items() if key not in ("class", "top")}
        return (
            alike(same, rest)
            and alike(shares[0], shares[1])
            and all(a == b or _tied(shares[0], place) for place, (a, b) in enumerate(zip(*names, strict=True)))
        )

    def _answer(self, shares: Values) -> Answered:
        best = np.argsort(-shares, kind="stable")[: self.given["top"]].tolist()
        top = [[self.given["classes"][i], float(shares[i])] for i in best]
        return {"class": top[0][0], "probability": top[0][1], "top": top}


def _tied(shares: Sequence[float], place: int) -> bool:
    """Whether a class is as likely as one beside it, or stands last, where the next one is not shown."""
    beside = [shares[i] for i in (place - 1, place + 1) if 0 <= i < len(shares)]
    return any(abs(shares[place] - other) < _TIE for other in beside)


_TIE = 1e-6
