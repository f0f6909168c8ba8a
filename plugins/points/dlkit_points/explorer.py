"""``explorer``: answers points, and shows the whole plane as the model sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.data.splits import Split
from dlkit.data.tables import Reading
from dlkit.json_types import Json, JsonObject
from dlkit.metrics.selection import evenly_spaced
from dlkit.portable import Portable
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import NUMBER, SHARE, Schema, by_name, choice, fields, several
from dlkit.samples import Marks, Plane, Sample, Table
from dlkit_points.asked import Asked, Point
from dlkit_points.colours import WHITE
from dlkit_points.info import PointsInfo
from dlkit_points.options import ExplorerConfig
from dlkit_points.regions import in_units, point_marks, regions, view_of, witness_marks
from dlkit_points.shown import decides, is_straight, shares
from dlkit_points.steps import step_against_sigmoid
from dlkit_points.surface import surface
from dlkit_points.units import unit_maps
from dlkit_points.verdict import verdict

VALIDATION = 150
"""Validation points that are shown at most, beside the training points."""


class Explorer(Predictor[PointsInfo, ExplorerConfig]):
    """An input is a point, two numbers in their own units."""

    usage = "points as x,y such as 0.5,-0.2, or a CSV file with their columns"
    asks = "row"
    label = "point"
    placeholder = "x,y such as 0.5,-0.2"

    def __init__(self, model: nn.Module, info: PointsInfo, config: ExplorerConfig) -> None:
        super().__init__(model, info, config)
        reading = Reading(delimiter=info.delimiter, encoding=info.encoding)
        self._asked = Asked(info.axes, info.mean, info.std, reading)

    def read(self, arguments: Sequence[str]) -> list[Point]:
        """The points of the words and files given; DataError names what is none."""
        return self._asked.read(arguments)

    def accept(self, value: object) -> Point:
        """A point: a pair of numbers, an object of both by name, or text as ``x,y``."""
        return self._asked.accept(value)

    def portable(self) -> Portable:
        info = self.info
        scales = {"axes": list(info.axes), "mean": list(info.mean), "std": list(info.std)}
        asked = {**scales, "reading": asdict(self._asked.reading)}
        given = {**asked, "classes": list(info.classes), "decides": decides(self.model)}
        return Portable(super().portable().graphs, given)

    def schema(self) -> Schema:
        pair: JsonObject = {**several(NUMBER), "minItems": 2, "maxItems": 2}
        question: JsonObject = {
            "description": f"{self.info.axes[0]} and {self.info.axes[1]}",
            "oneOf": [fields(dict.fromkeys(self.info.axes, NUMBER)), pair],
        }
        answer = fields({"class": choice(self.info.classes), "share": SHARE, "shares": by_name(SHARE)})
        example: dict[str, Json] = dict(zip(self.info.axes, self.info.mean, strict=True))
        return Schema(question=question, answer=answer, example=example)

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        """``class``, its ``share``, and the ``shares`` of all classes by name. An input is a pair, or a mapping by the
        axes' names."""
        if not inputs:
            return []
        seen = torch.from_numpy(self._asked.seen(self._asked.points(inputs)))
        found = shares(self._ask(seen), decides(self.model))
        return [self._answer(row) for row in found.tolist()]

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        """The asked points on the plane, and a table of the answers."""
        points = self._asked.points(inputs)
        asked = Marks(x=[x for x, _ in points], y=[y for _, y in points], colour=WHITE, name="asked", sign="ring")
        rows = [
            [x, y, answer["class"], round(answer["share"], 4)] for (x, y), answer in zip(points, answers, strict=True)
        ]
        headers = [*self.info.axes, "class", "share"]
        return [self._regions([asked, *self._training_marks()]), Table(name="predictions", headers=headers, rows=rows)]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Decision regions with the points; each hidden unit's map; the error surface; step against sigmoid."""
        marks = [*self._training_marks(), *(self._validation_marks(examples) if examples is not None else ())]
        return [
            self._regions(marks),
            *unit_maps(self.model, self.info, self.config.units),
            *surface(self.model, self._ask, self.info, self.config),
            *step_against_sigmoid(self.model, self._ask, self.info),
        ]

    def verdict(self) -> list[str]:
        """Whether a line divides the points, and how near the model came."""
        return verdict(self.model, self._ask, self.info)

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """A point in the middle, and some of those trained on."""
        (left, right), (low, high) = in_units(view_of(self.info), self.info)
        chosen = rng.integers(len(self.info.shown), size=3)
        own = np.asarray(self.info.shown)[chosen] * np.asarray(self.info.std) + np.asarray(self.info.mean)
        middle = [(left + right) / 2, (low + high) / 2]
        return [f"{x:.3g},{y:.3g}" for x, y in [middle, *own.tolist()]]

    def _regions(self, marks: Sequence[Marks]) -> Plane:
        info = self.info
        crossing = witness_marks(info) if info.divided is False and is_straight(self.model) else []
        shown = torch.as_tensor(np.asarray(info.shown_labels))
        right = int((self._ask(torch.as_tensor(np.asarray(info.shown))).argmax(1) == shown).sum())
        title = f"What the model makes of every place: {right} of {len(shown)} training points right"
        how = decides(self.model)
        return regions(self._ask, how, info, [*crossing, *marks], detail=self.config.detail, title=title)

    def _training_marks(self) -> list[Marks]:
        points, labels = (torch.as_tensor(np.asarray(v)) for v in (self.info.shown, self.info.shown_labels))
        return point_marks(self._ask, points, labels, self.info)

    def _validation_marks(self, examples: Split) -> list[Marks]:
        batch = examples.take(evenly_spaced(len(examples), VALIDATION))
        return point_marks(self._ask, batch["point"], batch["label"], self.info, "ring", " (validation)")

    def _ask(self, points: Tensor) -> Tensor:
        scores: Tensor = self.forward(points)
        return scores

    def _answer(self, row: Sequence[float]) -> Answer:
        best = max(range(len(row)), key=row.__getitem__)
        return {
            "class": self.info.classes[best],
            "share": row[best],
            "shares": dict(zip(self.info.classes, row, strict=True)),
        }
