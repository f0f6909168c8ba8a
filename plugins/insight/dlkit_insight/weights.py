"""``weights``: what each layer of a model has learnt, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from dlkit.config import NoOptions
from dlkit.data.splits import Split
from dlkit.errors import DataError, nearest
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import INTEGER, NUMBER, SHARE, TEXT, Schema, choice, fields, several, text_of
from dlkit.samples import Sample, Table
from dlkit.task import Info


class Weights(Predictor[Info, NoOptions]):
    """Asked for a layer by its name, or for all within one; samples are a table of all. Biases and the parameters of
    norms are among them."""

    usage = "names of layers, or of what they are in; all: every layer"
    label = "layer"
    placeholder = "a layer's name, or all"

    def read(self, arguments: Sequence[str]) -> list[str]:
        """The names of parameters that lie in what is named; DataError gives the nearest names."""
        known = [name for name, _ in self.model.named_parameters()]
        return [name for word in arguments for name in _named(word, known)]

    def accept(self, value: object) -> str:
        """The name of a parameter."""
        name, known = text_of(value, "a layer"), [name for name, _ in self.model.named_parameters()]
        if name not in known:
            raise DataError(f"no parameter {name!r}: {nearest(name, known)}")
        return name

    def schema(self) -> Schema:
        names = [name for name, _ in self.model.named_parameters()]
        moments = dict.fromkeys(["mean", "std", "least", "greatest"], NUMBER)
        shape = {"name": TEXT, "kind": TEXT, "shape": several(INTEGER), "count": INTEGER}
        return Schema(
            question=choice(names), answer=fields({**shape, **moments, "zeros": SHARE}), example=next(iter(names), "")
        )

    def predict(self, inputs: Sequence[str]) -> list[Answer]:
        """``name``, ``kind`` of layer, ``shape``, ``count``, ``mean``, ``std``, ``least``, ``greatest`` and ``zeros``,
        the share of exact zeros. ``std`` is that of the values themselves, not an estimate."""
        parameters = dict(self.model.named_parameters())
        return [self._answer(name, parameters[name]) for name in inputs]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        names = [name for name, _ in self.model.named_parameters()]
        return self.show(names, self.predict(names)) if names else ()

    def show(self, inputs: Sequence[str], answers: Sequence[Answer]) -> Sequence[Sample]:
        headers = list(answers[0]) if answers else []
        rows = [[_written(answer[header]) for header in headers] for answer in answers]
        return [Table(name="weights", title="Weights by layer", headers=headers, rows=rows)]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        return ["all"]

    def _answer(self, name: str, values: Tensor) -> Answer:
        owner: nn.Module = self.model.get_submodule(name.rpartition(".")[0])
        found = values.detach().double().cpu()
        least, greatest = (bound.item() for bound in found.aminmax()) if found.numel() else (0.0, 0.0)
        return {
            "name": name,
            "kind": type(owner).__name__,
            "shape": list(found.shape),
            "count": found.numel(),
            "mean": found.mean().item() if found.numel() else 0.0,
            "std": found.std(correction=0).item() if found.numel() else 0.0,
            "least": least,
            "greatest": greatest,
            "zeros": (found == 0).double().mean().item() if found.numel() else 0.0,
        }


def _named(word: str, known: Sequence[str]) -> list[str]:
    found = [name for name in known if word == "all" or name == word or name.startswith(f"{word}.")]
    if not found:
        places = {name.rpartition(".")[0] for name in known} - {""}
        raise DataError(f"no layer {word!r} with weights: {nearest(word, [*places, *known, 'all'])}")
    return found


def _written(value: object) -> str | float | int:
    if isinstance(value, list):
        return "×".join(map(str, value)) or "1"
    if isinstance(value, float):
        return round(value, 4)
    return value if isinstance(value, int) else str(value)
