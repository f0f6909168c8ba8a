"""What the moody plugin is made of: torch."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from dlkit.data.splits import Split
from dlkit.errors import DataError
from dlkit.predictor import Answer, Predictor
from dlkit.samples import Sample, Text
from dlkit.task import AnyTask, Info


class Moody(Predictor):
    """Says what it was told, unless that is an order."""

    usage = "what you like"
    asks = "prompt"
    label = "prompt"
    placeholder = "boom, exit, die, slow, or anything else"

    def read(self, arguments: Sequence[str]) -> list[str]:
        if "" in arguments:
            raise DataError("an empty prompt")
        return list(arguments)

    def predict(self, inputs: Sequence[str]) -> list[Answer]:
        print("noise of a plugin")
        os.write(1, b"noise below Python\n")
        for order in inputs:
            if order == "boom":
                raise ZeroDivisionError("boom")
            if order == "exit":
                sys.exit("enough")
            if order == "die":
                print("last words", file=sys.stderr, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            if order == "slow":
                time.sleep(600)
        return [self._said(order) for order in inputs]

    def _said(self, order: str) -> Answer:
        odd: dict[str, Any] = {"array": {"said": np.arange(3.0), "nan": float("nan")}, "object": {"said": object()}}
        return odd.get(order, {"said": order, "temperature": self.config.temperature})

    def show(self, inputs: Sequence[Any], answers: Sequence[Answer]) -> Sequence[Sample]:
        return [Text(name="said", prompt=str(i), text=f"{a['said']}, moodily") for i, a in zip(inputs, answers)]  # noqa: B905

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        return [Text(name="said", prompt="hello", text="nothing yet"), Text(name="more", text="words")]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        return [f"hello {rng.integers(10**9)} of {len(examples)}" if examples is not None else "hello without data"]


class Teller(Moody):
    """Goes on from its prompt, a word at a time."""

    streams = True

    def stream(self, value: Any) -> Iterator[str]:
        yield str(value)
        for word in (" and", " so", " on"):
            time.sleep(0.05)
            yield word


class Choosy(Predictor):
    """Knows of what task the model is, whatever that is."""

    def read(self, arguments: Sequence[str]) -> list[str]:
        return list(arguments)

    def predict(self, inputs: Sequence[str]) -> list[Answer]:
        assert self.task is not None
        about = {"task": self.task.name, "inputs": list(self.task.inputs), "word": self.config.word}
        return [{"said": order, **about} for order in inputs]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        return [Text(name="word", text=self.config.word, prompt=type(self.model).__name__)]


class Lofty(Choosy):
    """Needs what no model has."""

    @classmethod
    def lacks(cls, task: AnyTask, model: nn.Module, info: Info) -> str:
        return f"it needs a convolution, and {type(model).__name__} has none"
