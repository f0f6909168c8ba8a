"""Single handwritten digits to paste on canvases: MNIST's, or smaller ones that a dependency brings along.

What is trained on, validated on and tested on never shares a digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from dlkit.data.canvases import Canvases, CanvasOptions, draw_canvases, enlarged
from dlkit.data.context import Context
from dlkit.data.known import MNIST
from dlkit.data.layout import status
from dlkit.data.mnist import read_mnist
from dlkit.data.randomness import derive

Source = Literal["auto", "digits", "mnist"]
"""``auto``: MNIST where it lies in the workspace, else the embedded digits."""
CLASSES = 10
_LEVELS = 16
"""The brightest value of a pixel of scikit-learn's digits, which counts the inked ones of a 4×4 block."""


@dataclass(frozen=True)
class Digits:
    """``images`` uint8 [K,28,28], light on dark, the digit in the middle 20 × 20; ``labels`` int64 [K], 0 to 9."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)

    def at(self, index: npt.NDArray[np.int64]) -> Digits:
        return Digits(self.images[index], self.labels[index])

    def below(self, classes: int) -> Digits:
        """Those of the first so many classes."""
        return self.at(np.flatnonzero(self.labels < classes))


def resolve_source(source: Source, context: Context) -> Literal["digits", "mnist"]:
    """What ``auto`` means in this workspace now. Keep the answer: MNIST may be fetched before a run is resumed."""
    if source != "auto":
        return source
    # Only what is there already: a default must not begin with a download.
    return "mnist" if status(MNIST, context.data) == "present" else "digits"


def note_of(asked: Source, source: Literal["digits", "mnist"]) -> list[str]:
    """What to say of the digits that ``auto`` came to; nothing of those that were asked for."""
    names = {"mnist": "MNIST's digits", "digits": "scikit-learn's digits, enlarged (no MNIST in the workspace)"}
    return [names[source]] if asked == "auto" else []


def small_digits() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """scikit-learn's 1,797 digits, uint8 [N,8,8], light on dark, and their labels; for plugins that depend on it.

    From the UCI repository's "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998), its test part.
    """
    from sklearn.datasets import load_digits

    values, labels = load_digits(return_X_y=True)
    return np.round(values * (255 / _LEVELS)).astype(np.uint8).reshape(-1, 8, 8), labels.astype(np.int64)


def digit_parts(source: Literal["digits", "mnist"], context: Context) -> dict[str, Digits]:
    """``train``, ``val`` and ``test``, which share no digit; validation is a tenth of the training images.

    The small digits are enlarged to MNIST's proportions; a sixth of them is the test. MNIST (fetched if it must be and
    may be) has a test set of its own.
    """
    if source == "mnist":
        folder = context.source("mnist")
        train, test = Digits(*read_mnist(folder, "train")), Digits(*read_mnist(folder, "t10k"))
    else:
        images, labels = small_digits()
        # About MNIST's own proportion, whose test is a seventh of all.
        train, test = _divided(Digits(enlarged(images), labels), len(images) // 6, "test")
    train, val = _divided(train, len(train) // 10, "val")
    return {"train": train, "val": val, "test": test}


def draw_parts(
    parts: Mapping[str, Digits], counts: Mapping[str, int], seed: int, options: CanvasOptions
) -> dict[str, Canvases]:
    """Canvases of each part, ``counts`` of them, from a seed of its own."""
    return {
        part: draw_canvases(digits.images, digits.labels, counts[part], derive(seed, part), options)
        for part, digits in parts.items()
    }


def _divided(digits: Digits, count: int, purpose: str) -> tuple[Digits, Digits]:
    """(the rest, ``count`` chosen at random), each in the order they came; the same ones always."""
    # Sorted raw words and not ``permutation``: NumPy promises to keep the former alike in every version.
    words = np.random.Philox(key=derive(0, "split", purpose)).random_raw(len(digits))
    order = words.argsort(kind="stable")
    return digits.at(np.sort(order[count:])), digits.at(np.sort(order[:count]))
