"""``map``: what a layer makes of the validation samples, as points in the plane; the vectors of words likewise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.data.splits import Batch, Split
from dlkit.engine.layers import first_tensor
from dlkit.errors import DataError, UsageError, nearest
from dlkit.json_types import JsonObject
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import NUMBER, TEXT, Schema, fields, text_of
from dlkit.samples import Sample, Scatter, Table
from dlkit.task import AnyTask, Info
from dlkit_insight.plane import LEAST, Floats, pca, purity, t_sne
from dlkit_insight.representation_options import MapConfig

BATCH = 100
_CODE = "code"
"""The output that is an autoencoder's code."""


@dataclass(frozen=True)
class Points:
    """``values`` [N,D], and of each point its ``label`` and ``name``; both may be missing."""

    values: Floats
    source: str
    labels: Sequence[str] = ()
    names: Sequence[str] = ()


class Map(Predictor[Info, MapConfig]):
    """Any model, by the outputs of a layer; a vocabulary's, by its vectors."""

    usage = "words of the vocabulary; of other tasks nothing: dlkit sample draws the validation split"
    label = "word"
    placeholder = "a word"

    @classmethod
    def lacks(cls, task: AnyTask, model: nn.Module, info: Info) -> str:
        if next(model.parameters(), None) is None:
            return "it draws what layers with weights make, and the model has none"
        return ""

    def read(self, arguments: Sequence[str]) -> list[str]:
        """Words; DataError for one without a vector, or where there are no words."""
        return [self.accept(word) for word in arguments]

    def accept(self, value: object) -> str:
        words, word = self._words(), text_of(value, "a word")
        if words is None:
            raise UsageError("this task has no words to ask for: dlkit sample draws its validation split")
        if word not in words:
            raise DataError(f"no vector for {word!r}: {nearest(word, words)}")
        return word

    def schema(self) -> Schema:
        words = self._words() or []
        question: JsonObject = {**TEXT, "description": "a word of the vocabulary"}
        return Schema(
            question=question, answer=fields({"word": TEXT, "x": NUMBER, "y": NUMBER}), example=next(iter(words), "")
        )

    def predict(self, inputs: Sequence[str]) -> list[Answer]:
        """``word``, ``x`` and ``y``: where it lies among the words that are asked for together."""
        words, vectors = self._words() or [], self._vectors()
        places = {word: place for place, word in enumerate(words)}
        chosen = Points(vectors[[places[str(word)] for word in inputs]], "words", names=[str(w) for w in inputs])
        flat, _ = self._flat(chosen)
        return [{"word": str(w), "x": float(x), "y": float(y)} for w, (x, y) in zip(inputs, flat, strict=True)]

    def show(self, inputs: Sequence[str], answers: Sequence[Answer]) -> Sequence[Sample]:
        x, y = [a["x"] for a in answers], [a["y"] for a in answers]
        return [Scatter(name="map", title="Words", x=x, y=y, labels=[a["word"] for a in answers])]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """The same points each time, so that one can see them part."""
        points = self._chosen(examples)
        if points is None or len(points.values) < 3:
            return ()
        flat, told = self._flat(points)
        labels = list(points.labels or points.names)
        made: list[Sample] = [
            Scatter(name="map", title=f"{points.source}, {len(flat)} points: {told}", x=flat[:, 0].tolist(),
                    y=flat[:, 1].tolist(), labels=labels, x_label="first", y_label="second")
        ]  # fmt: skip
        if points.labels:
            made.append(_apart(points, flat))
        return made

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        words = self._words()
        return [" ".join(words[:1])] if words else []

    def _flat(self, points: Points) -> tuple[Floats, str]:
        if self.config.method == "t-sne" and len(points.values) > LEAST:
            return t_sne(points.values, self.config.perplexity), f"t-SNE of {points.values.shape[1]} numbers"
        flat, shares = pca(points.values)
        return flat, f"principal components, {shares.sum():.0%} of the variance of {points.values.shape[1]} numbers"

    def _chosen(self, examples: Split | None) -> Points | None:
        words = self._words()
        if words is not None and self.config.layer == "auto":
            vectors, most = self._vectors(), self.config.points
            kept = [i for i, word in enumerate(words) if not (word.startswith("<") and word.endswith(">"))][:most]
            return Points(vectors[kept], "vectors of the commonest words", names=[words[i] for i in kept])
        return None if examples is None else self._read_layer(examples)

    def _words(self) -> list[str] | None:
        """A vocabulary by number, where the task's ``info`` has one, and the model as many vectors."""
        words = getattr(self.info, "words", None)
        return list(words) if isinstance(words, list) and self._table(len(words)) is not None else None

    def _vectors(self) -> Floats:
        table = self._table(len(self._words() or []))
        assert table is not None
        return table.detach().float().cpu().numpy()

    def _table(self, count: int) -> Tensor | None:
        """The first weights that have a row for every word (or one more, for no word)."""
        weights = (p for p in self.model.parameters() if p.dim() == 2 and p.shape[0] in (count, count + 1))
        found = next(weights, None)
        return None if found is None else found[:count]

    def _read_layer(self, examples: Split) -> Points:
        """What the layer makes of samples from all over the split."""
        assert self.task is not None
        count = min(self.config.points, len(examples))
        places = torch.linspace(0, len(examples) - 1, count).round().long()
        name, layer = self._layer()
        parts: list[Tensor] = []
        labels: list[str] = []
        for some in torch.split(places, BATCH):
            batch = examples.take(some)
            parts.append(self._outputs(layer, [batch[key] for key in self.task.inputs]))
            labels += self._labels(batch)
        return Points(torch.cat(parts).numpy(), name, labels)

    def _outputs(self, layer: nn.Module | None, inputs: Sequence[Tensor]) -> Tensor:
        """[N,D]: a layer's outputs (what the head reads, if it is the head), the mean over an image's pixels or the
        places of a text."""
        if layer is None:
            codes: Tensor = self.forward(*inputs)[_CODE]
            return codes.flatten(1)
        seen: list[Tensor] = []
        head = self.config.layer == "auto"

        def look(_: nn.Module, given: tuple[object, ...], made: object) -> None:
            found = first_tensor(given if head else made)
            if found is not None:
                seen.append(found.float().cpu())

        handle = layer.register_forward_hook(look)
        try:
            self.forward(*inputs)
        finally:
            handle.remove()
        if not seen:
            raise DataError(f"layer {self.config.layer!r} gives no numbers when samples go through the model")
        found = seen[0]
        if found.dim() == 3:  # of texts, the mean over their places
            return found.mean(1)
        return found.flatten(2).mean(2) if found.dim() > 3 else found.flatten(1)

    def _layer(self) -> tuple[str, nn.Module | None]:
        modules = {name: module for name, module in self.model.named_modules() if name}
        if self.config.layer != "auto":
            if self.config.layer not in modules:
                raise DataError(f"no layer {self.config.layer!r}: {nearest(self.config.layer, modules)}")
            return self.config.layer, modules[self.config.layer]
        outputs = self.task.outputs if self.task is not None else None
        if isinstance(outputs, Mapping) and _CODE in outputs:
            return "codes", None
        heads = [(name, module) for name, module in modules.items() if isinstance(module, nn.Linear)]
        if not heads:
            return next(iter(modules.items())) if modules else ("the model", self.model)
        return f"what {heads[-1][0]} reads", heads[-1][1]

    def _labels(self, batch: Batch) -> list[str]:
        """Classes by name, where samples have them."""
        labels, classes = batch.get("label"), getattr(self.info, "classes", None)
        if labels is None or labels.dim() != 1 or not isinstance(classes, list):
            return []
        return [str(classes[int(label)]) for label in labels.tolist()]


def _apart(points: Points, flat: Floats) -> Table:
    """How well the labels lie apart, in the plane and before."""
    numbers = {label: number for number, label in enumerate(dict.fromkeys(points.labels))}
    labels = np.array([numbers[label] for label in points.labels], np.int64)
    rows: list[list[str | float]] = [
        ["in the plane", round(purity(flat, labels), 3)],
        [f"in all {points.values.shape[1]} numbers", round(purity(points.values, labels), 3)],
        ["by chance", round(float(((np.bincount(labels) / len(labels)) ** 2).sum()), 3)],
    ]
    title = "The share of the ten nearest that are of the same kind"
    return Table(name="neighbours", title=title, headers=["", "share"], rows=rows)
