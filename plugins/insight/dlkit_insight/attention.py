"""``attention``: what a model that reads text looks at, place by place, in every layer that attends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from torch import nn

from dlkit.data.heat_map import MANY, heat_map, heat_words
from dlkit.data.splits import Split
from dlkit.engine.trainer import evaluation_mode
from dlkit.errors import DataError, nearest
from dlkit.predictor import Answer
from dlkit.present.coloured import stacked
from dlkit.question_schema import text_of
from dlkit.samples import Images, Sample, Shaded
from dlkit.task import AnyTask, Info
from dlkit_insight.asked_texts import AskedTexts
from dlkit_insight.attending import Weights, attention_of
from dlkit_insight.passages import passages
from dlkit_insight.reading import GAP, Passage, Reading
from dlkit_insight.text_options import AttentionConfig

if TYPE_CHECKING:
    from PIL.Image import Image

BEGIN = "<begin>"


@dataclass(frozen=True)
class Looked:
    """One layer, over one text: ``weights`` float32 [T,S] from each of ``rows`` to each of ``columns``."""

    name: str
    rows: Sequence[str]
    columns: Sequence[str]
    weights: npt.NDArray[np.float32]


class Attention(AskedTexts[AttentionConfig]):
    """Any model whose attention is made of torch's own functions; nothing has to be offered by it."""

    usage = "texts, each in quotes (of conjugation with a gap, ___)"
    seldom = frozenset({"shown"})

    @classmethod
    def lacks(cls, task: AnyTask, model: nn.Module, info: Info) -> str:
        if missing := Reading.lacks(info):
            return missing
        with evaluation_mode(model):
            found = attention_of(model, Reading(model, info).shortest())
        return "" if found else "it looks at attention, and the model has none"

    def read(self, arguments: Sequence[str]) -> list[str]:
        """Texts; DataError says what is wrong with one."""
        return [self.accept(text) for text in arguments]

    def accept(self, value: object) -> str:
        text = text_of(value, "a text")
        self._passage(text)
        return text

    def predict(self, inputs: Sequence[str]) -> list[Answer]:
        """``text``, ``written`` (what was made of it, token by token, where the task writes) and ``layers``: of each
        its ``name``, ``rows``, ``columns`` and ``weights``, lists of lists."""
        answers: list[Answer] = []
        for text in inputs:
            passage = self._passage(text)
            layers = [
                {"name": o.name, "rows": list(o.rows), "columns": list(o.columns), "weights": o.weights.tolist()}
                for o in self.looked(passage)
            ]
            answers.append({"text": text, "written": list(passage.written), "layers": layers})
        return answers

    def show(self, inputs: Sequence[str], answers: Sequence[Answer]) -> Sequence[Sample]:
        return [sample for n, answer in enumerate(answers, 1) for sample in self._shown(str(n), _from(answer))]

    def draw(self, value: str, answer: Answer) -> Image:
        """All layers below one another."""
        return stacked({looked.name: _picture(looked) for looked in _from(answer)})

    def stem(self, value: str) -> str:
        return "attention"

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Validation texts, the same ones each time."""
        if examples is None:
            return ()
        found = passages(self.reading, examples, min(count, self.config.shown), self._most)
        return [s for n, passage in enumerate(found, 1) for s in self._shown(str(n), self.looked(passage))]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        return [p.text for p in passages(self.reading, examples, 2, self._most)] if examples else []

    @property
    def _most(self) -> int:
        return min(self.config.tokens, self.reading.limit or self.config.tokens)

    def _passage(self, text: str) -> Passage:
        passage, limit = self.reading.passage(text), self.reading.limit
        if limit is not None and passage.inputs[0].shape[1] > limit:
            count = passage.inputs[0].shape[1]
            raise DataError(f"a text of {count} tokens: the model holds {limit} at once; give it a shorter one")
        return passage

    def looked(self, passage: Passage) -> list[Looked]:
        """What each chosen layer looked at. DataError: no layer of that name attends."""
        found = attention_of(self.model, self.reading.apart(passage))
        return [looked for one in self._chosen(found) for looked in self._labelled(one, passage)]

    def _chosen(self, found: Sequence[Weights]) -> list[Weights]:
        wanted, names = self.config.layer, list(dict.fromkeys(one.module for one in found))
        kept = [o for o in found if wanted == "all" or o.module == wanted or o.module.startswith(f"{wanted}.")]
        if not kept:
            raise DataError(f"no layer {wanted!r} that attends: {nearest(wanted, [*names, 'all'])}")
        return kept

    def _labelled(self, one: Weights, passage: Passage) -> list[Looked]:
        """With its words, by how many places there are; padding and whatever else stands before the text left out."""
        read, written = passage.read, passage.written
        earlier = [BEGIN, *written[:-1]]
        heads, places, width = one.weights.shape
        apart = len(passage.inputs) > 1
        rows = written if apart and places == len(written) else read if places >= len(read) else None
        columns = earlier if apart and width == len(written) else read if width >= len(read) else None
        if rows is None or columns is None:
            return []
        weights = one.weights[:, : len(rows)]
        # Attention over a past has places for what was read before: of one text, the last ones are its own.
        weights = weights[..., -len(columns) :] if not apart else weights[..., : len(columns)]
        there = [i for i, word in enumerate(rows) if word], [i for i, word in enumerate(columns) if word]
        kept = weights[:, there[0]][:, :, there[1]].numpy()
        name = one.module or type(self.model).__name__
        each = [(f"{name} head {h}", kept[h - 1]) for h in range(1, heads + 1)] if self.config.heads else []
        shown_rows, shown_columns = [rows[i] for i in there[0]], [columns[i] for i in there[1]]
        return [
            Looked(label, shown_rows, shown_columns, np.asarray(values, np.float32))
            for label, values in each or [(name, kept.mean(0))]
        ]

    def _shown(self, number: str, found: Sequence[Looked]) -> list[Sample]:
        shown: list[Sample] = []
        for looked in found:
            top = [f"{row.strip() or '_'}←{looked.columns[int(place)].strip() or '_'}"
                   for row, place in zip(looked.rows, looked.weights.argmax(1), strict=True)]  # fmt: skip
            picture, name = _picture(looked), f"attention-{number}-{looked.name}".replace("/", "-")
            title = f"{looked.name}: rows look at columns"
            shown.append(Images(name=name[:100], title=title, images=picture[None], captions=[" ".join(top)]))
            called = f"words-{number}-{looked.name}".replace("/", "-")[:100]
            shown.append(heat_words(called, title, looked.weights, looked.rows, looked.columns))
        if found and (line := _line(found[-1])) is not None:
            row, words = line
            title = f"{words.name}: what {row.strip() or row!r} looks at"
            shown.append(Shaded(name=f"text-{number}", title=title, pieces=_spaced(words.columns),
                                values=words.weights[0].tolist(), limits=(0.0, _most(words.weights)),
                                unit="of the attention"))  # fmt: skip
        return shown


def _line(looked: Looked) -> tuple[str, Looked] | None:
    """The row worth reading in the text itself: that of the gap, or the last one; None where another text is looked
    at."""
    if list(looked.rows) != list(looked.columns):
        return None
    place = looked.rows.index(GAP) if GAP in looked.rows else len(looked.rows) - 1
    return looked.rows[place], Looked(looked.name, [looked.rows[place]], looked.columns, looked.weights[place][None])


def _most(weights: npt.NDArray[np.float32]) -> float:
    return max(float(weights.max()), 1e-6)


def _spaced(words: Sequence[str]) -> list[str]:
    """Words have blanks between them, tokens their own."""
    return [f"{word} " for word in words] if GAP in words else list(words)


def _picture(looked: Looked) -> npt.NDArray[np.uint8]:
    # By the largest weight; roots among many places, where each has little.
    shares = looked.weights / _most(looked.weights)
    return heat_map(np.sqrt(shares) if len(looked.columns) > MANY else shares, looked.rows, looked.columns)


def _from(answer: Answer) -> list[Looked]:
    return [Looked(o["name"], o["rows"], o["columns"], np.asarray(o["weights"], np.float32)) for o in answer["layers"]]
