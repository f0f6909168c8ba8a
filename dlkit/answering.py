"""``Answering``: raw input to a model's batch, and its outputs to an answer, with NumPy alone.

It is what an exported model takes with it: the source of its module, and of those it imports, lies in the exported
folder, and what it must know of the run is data. So neither it nor they import anything of torch, pydantic or a package
that ``ALLOWED`` does not name, and what dlkit itself does with raw input is done by the same modules.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image

Values = npt.NDArray[Any]
Given = Mapping[str, Any]
"""What an answering must know of the run: JSON values, NumPy arrays and bytes (a tokenizer's file), by name."""
Answered = Mapping[str, Any]
"""One answer in JSON values, as ``dlkit.predictor.Answer``."""


Input = Any
"""One question as ``read`` and ``accept`` give it and ``predict`` takes it: a file's name, a row, a seed."""
TOLERANCE = 1e-4
"""What floats may differ by, times their size where that is above 1."""


class RunGraph(Protocol):
    """Runs one of the exported networks: arrays in and out by name. Floats are float32."""

    def __call__(self, graph: str, /, **inputs: Values) -> dict[str, Values]: ...


class Answering(ABC):
    """Base of what answers raw input by an exported model; ``InferenceSpec.answers`` names one.

    ``given`` is what the run's predictor gave it (``Predictor.portable``), ``run`` the networks. ``batch``: inputs that
    go through the model together.
    """

    usage: str = "INPUT"
    asks: str = "text"
    """What a question is, as the predictor's ``asks``."""
    draws: bool = False
    """Whether ``draw`` makes pictures of the answers, which run.py then writes."""
    streams: bool = False
    """Whether ``stream`` gives an answer piece by piece."""
    batch: int = 32

    def __init__(self, given: Given, run: RunGraph) -> None:
        self.given, self.run = given, run

    @abstractmethod
    def read(self, words: Sequence[str]) -> list[Input]:
        """Inputs from a command line's words (file names, rows, sentences), as the predictor's ``read``."""

    def accept(self, value: object) -> Input:
        """One input from a JSON value or the bytes of a file, never a path, as the predictor's ``accept``."""
        raise NotImplementedError(f"{type(self).__name__} takes no questions but those of a command line")

    @abstractmethod
    def predict(self, inputs: Sequence[Input]) -> list[Answered]:
        """One answer an input, in order: those of the predictor, floats within 1e-4."""

    def draw(self, value: Input, answer: Answered) -> Image.Image:
        """One answer as a Pillow image, as the predictor's ``draw``; for those that say ``draws``."""
        raise NotImplementedError(f"{type(self).__name__} draws no pictures")

    def files(self, value: Input, answer: Answered) -> Mapping[str, bytes]:
        """What belongs beside that picture, by suffix, as the predictor's ``files``."""
        return {}

    def drawn(self, value: Input, answer: Answered, beginning: str) -> Answered:
        """An answer's picture and what belongs beside it, written; the files by suffix. ``beginning``: a folder, which
        is made, and what names begin with: nothing that was asked about is written over."""
        if not self.draws:
            return {}
        path = Path(f"{beginning}{self.stem(value) or 'answer'}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.draw(value, answer).save(path)
        others = self.files(value, answer)
        for suffix, content in others.items():
            path.with_suffix(suffix).write_bytes(content)
        return {"picture": str(path), **{suffix.lstrip("."): str(path.with_suffix(suffix)) for suffix in others}}

    def stream(self, value: Input) -> Iterator[str]:
        """One input's answer as text in pieces, as the predictor's ``stream``; for those that say ``streams``."""
        raise NotImplementedError(f"{type(self).__name__} does not answer piece by piece")

    def stem(self, value: Input) -> str:
        """What the picture of an input's answer is called, without suffix."""
        return Path(value).stem if isinstance(value, (str, Path)) else ""

    def notes(self) -> list[str]:
        """What is to be said of the inputs since this was last asked, as the predictor's ``notes``."""
        return []

    @classmethod
    def alike(cls, one: Answered, other: Answered) -> bool:
        """Whether two answers to one input are the same, but for rounding. Default: ``alike``."""
        return alike(one, other)

    def batches(self, inputs: Sequence[Input]) -> Iterator[Sequence[Input]]:
        """Inputs, as many at a time as go through the model together."""
        return (inputs[first : first + self.batch] for first in range(0, len(inputs), self.batch))


def softmax(logits: Values) -> Values:
    """Along the last axis, in the type of its input."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    shares: Values = powers / powers.sum(-1, keepdims=True)
    return shares


def sigmoid(logits: Values) -> Values:
    """In the type of its input; of large negative numbers 0, without a warning."""
    small = np.exp(-np.abs(logits))
    shares: Values = np.where(logits >= 0, 1 / (1 + small), small / (1 + small)).astype(logits.dtype)
    return shares


def alike(one: object, other: object, tolerance: float = TOLERANCE) -> bool:
    """Whether two answers say the same: texts and whole numbers equal, floats within the tolerance, element by
    element."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(alike(one[key], other[key], tolerance) for key in one)
    if _listed(one) and _listed(other):
        return len(one) == len(other) and all(alike(a, b, tolerance) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) or isinstance(other, float):
        return _numbers_alike(one, other, tolerance)
    return bool(one == other)


def _numbers_alike(one: object, other: object, tolerance: float) -> bool:
    if not (isinstance(one, (int, float)) and isinstance(other, (int, float))):
        return False
    if one == other or (math.isnan(one) and math.isnan(other)):
        return True
    away = abs(one - other)
    # Of what is rounded to hundredths, a hair's breadth may be a hundredth.
    rounded = any(round(one, places) == one and round(other, places) == other and away < 1.5 * 10**-places
                  for places in (2, 3, 4))  # fmt: skip
    return away <= tolerance * max(1.0, abs(one), abs(other)) or rounded


def in_short(value: object) -> str | float | int:
    """A value of an answer for a table's cell: named shares as ``cat 0.9, dog 0.08``, lists by commas."""
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_part(one)}" for key, one in value.items())
    if _listed(value):
        return ", ".join(" ".join(map(_part, one)) if _named(one) else _part(one) for one in value)
    return "" if value is None else str(value)


def _named(value: object) -> TypeGuard[Sequence[object]]:
    return _listed(value) and len(value) == 2 and isinstance(value[0], str)


def _part(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"({in_short(value)})" if _listed(value) or isinstance(value, Mapping) else str(in_short(value))


def _listed(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
