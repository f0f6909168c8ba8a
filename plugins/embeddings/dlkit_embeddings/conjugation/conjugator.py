"""``conjugator``: fills the gap of a sentence, and shows what the model gets wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dlkit.data.splits import Split
from dlkit.json_types import JsonObject
from dlkit.metrics.confusion import Confusion
from dlkit.metrics.selection import some_indices, worst_first
from dlkit.portable import Portable, whole_model
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import SHARE, TEXT, Schema, by_name, choice, fields, several
from dlkit.samples import Pairs, Sample, Table, Text
from dlkit_embeddings.conjugation.answering import GAPS, accepted, filled, read_sentences, seen, split_at_gap
from dlkit_embeddings.conjugation.gaps import GAP, context_text
from dlkit_embeddings.conjugation.info import UNKNOWN_ID, ConjugationInfo
from dlkit_embeddings.conjugation.options import ConjugatorConfig

BATCH = 1000
EXAMPLES = 4000
"""Validation gaps that samples are chosen from."""
_ASKED = 50
"""Validation gaps that examples are chosen from."""


class Conjugator(Predictor[ConjugationInfo, ConjugatorConfig]):
    """Answers sentences from ``info`` alone."""

    usage = 'sentences with a gap, "She ___ happy.", or text files with one a line'
    asks = "text"
    label = "sentence"
    placeholder = f"She {GAP} happy."

    def read(self, arguments: Sequence[str]) -> list[str]:
        """Sentences; of an argument that names a file, its lines. UsageError for a sentence without a gap, or with
        several; DataError names the line of a file."""
        return read_sentences(arguments)

    def accept(self, value: object) -> str:
        """A sentence with a gap; UsageError for one without, or with several."""
        return accepted(value)

    def portable(self) -> Portable:
        """The model whole; how words become numbers is data."""
        assert self.task is not None
        known = self.info.model_dump(include={"classes", "words", "window", "across", "lower", "rules", "signs"})
        return Portable((whole_model(self.task, self.model, self.info),), known)

    def schema(self) -> Schema:
        forms = {"form": choice(self.info.classes), "probability": SHARE, "filled": TEXT}
        answer = fields(
            {"sentence": TEXT, **forms, "probabilities": by_name(SHARE), "unknown": several(TEXT)}, ["unknown"]
        )
        question: JsonObject = {**TEXT, "description": f"a sentence with a gap, {GAP}"}
        return Schema(question=question, answer=answer, example=self.placeholder)

    def predict(self, inputs: Sequence[str]) -> list[Answer]:
        """``sentence``, ``form`` (the most probable), ``probability``, ``filled`` (the sentence with it),
        ``probabilities`` (of every form) and, if there are any, ``unknown`` words."""
        answers: list[Answer] = []
        for first in range(0, len(inputs), BATCH):
            sides = [split_at_gap(str(value)) for value in inputs[first : first + BATCH]]
            contexts = [seen(*pair, self.info) for pair in sides]
            probabilities = self.forward(torch.from_numpy(np.stack(contexts))).softmax(1)
            answers += [self._answer(*pair, row) for pair, row in zip(sides, probabilities, strict=True)]
        return answers

    def show(self, inputs: Sequence[str], answers: Sequence[Answer]) -> Sequence[Sample]:
        """One sentence filled, and its forms' probabilities; of several, a line each."""
        if len(answers) == 1:
            (answer,) = answers
            rows: list[list[str | float]] = [[form, round(p, 4)] for form, p in _best(answer, self.config.top)]
            filled = Text(name="sentence", title="Filled", text=answer["filled"])
            return [filled, Table(name="forms", title="Forms", headers=["form", "probability"], rows=rows)]
        lines = []
        for answer in answers:
            others = ", ".join(f"{form} {p:.0%}" for form, p in _best(answer, self.config.top)[1:])
            lines.append([answer["sentence"], answer["form"], f"{answer['probability']:.0%}", others])
        return [Pairs(name="predictions", headers=["sentence", "form", "", "others"], rows=lines)]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Validation gaps with their true and predicted forms, mistakes first, and the confusion matrix with each
        form's recall over the gaps looked at."""
        if examples is None:
            return ()
        contexts, true, logits = self._looked_at(some_indices(len(examples), EXAMPLES, rng), examples)
        return [self._gaps(contexts, true, logits.softmax(1), count), self._confusion(true, logits)]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """Gaps of the validation text whose words are all known, if there are any, or a sentence of ours."""
        found = []
        if examples is not None:
            batch = examples.take(some_indices(len(examples), _ASKED, rng))
            contexts = [row for row in batch["context"].cpu().tolist() if UNKNOWN_ID not in row]
            # The text may hold the signs of a gap itself: then a question would have several.
            found = [text for row in contexts if len(GAPS.findall(text := context_text(row, self.info))) == 1]
        return found[:3] or [self.placeholder]

    def _answer(self, before: str, after: str, probabilities: Tensor) -> Answer:
        named = dict(zip(self.info.classes, probabilities.tolist(), strict=True))
        return filled(before, after, named, self.info)

    def _looked_at(self, index: Tensor, examples: Split) -> tuple[Tensor, Tensor, Tensor]:
        """Contexts [N,W], labels [N] and logits [N,classes], on the CPU."""
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        for rows in torch.split(index, BATCH):
            batch = examples.take(rows)
            found.append((batch["context"].cpu(), batch["label"].cpu(), self.forward(batch["context"])))
        contexts, true, logits = (torch.cat(column) for column in zip(*found, strict=True))
        return contexts, true, logits

    def _gaps(self, contexts: Tensor, true: Tensor, probabilities: Tensor, count: int) -> Pairs:
        """The mistakes, the most confident first, then what is right, the least confident first."""
        probability, predicted = probabilities.max(1)
        order = worst_first(true != predicted, probability)[:count].tolist()
        classes, rows = self.info.classes, []
        for i in order:
            mark = "✗" if true[i] != predicted[i] else ""
            answer = f"{classes[int(predicted[i])]} {float(probability[i]):.0%}"
            rows.append([mark, context_text(contexts[i].tolist(), self.info), classes[int(true[i])], answer])
        title = "Validation gaps, mistakes first"
        return Pairs(name="gaps", title=title, headers=["", "gap", "true", "predicted"], rows=rows)

    def _confusion(self, true: Tensor, logits: Tensor) -> Table:
        """Of the forms that are there or were predicted."""
        confusion = Confusion(len(self.info.classes))
        confusion.update(logits.argmax(1), true)
        matrix = confusion.matrix()
        there = [i for i in range(len(matrix)) if matrix[i].sum() + matrix[:, i].sum()]
        rows: list[list[str | int]] = []
        for i in there:
            total = int(matrix[i].sum())
            recall = f"{int(matrix[i, i]) / total:.0%}" if total else "–"
            rows.append([self.info.classes[i], *matrix[i, there].tolist(), recall])
        title = f"Confusion over {len(true)} validation gaps: rows true, columns predicted"
        headers = ["", *(self.info.classes[i] for i in there), "right"]
        return Table(name="confusion", title=title, headers=headers, rows=rows)


def _best(answer: Answer, count: int) -> list[tuple[str, float]]:
    """The most probable forms."""
    return sorted(answer["probabilities"].items(), key=lambda pair: -pair[1])[:count]
