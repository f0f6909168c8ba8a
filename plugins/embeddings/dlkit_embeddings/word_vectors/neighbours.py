"""``neighbours``: the nearest words of a word, what an analogy comes to, and how well vectors do on files of either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from dlkit.data.splits import Split
from dlkit.data.text.corpus import read_text
from dlkit.errors import DataError
from dlkit.portable import Portable, whole_model
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import NUMBER, TEXT, Schema, fields, several, text_of
from dlkit.samples import Sample, Table
from dlkit_embeddings.vectors import stored_vectors
from dlkit_embeddings.word_vectors import exports
from dlkit_embeddings.word_vectors.answering import near, placed
from dlkit_embeddings.word_vectors.benchmarks import are_analogies, read_analogies, read_pairs
from dlkit_embeddings.word_vectors.content_words import content_words
from dlkit_embeddings.word_vectors.info import WordsInfo
from dlkit_embeddings.word_vectors.options import NeighboursConfig
from dlkit_embeddings.word_vectors.projection import word_map
from dlkit_embeddings.word_vectors.questions import Question, parse_question
from dlkit_embeddings.word_vectors.space import Space

_FILES = (".txt", ".tsv", ".csv")
"""What ends like this is meant as a file, not as a word."""
_EXAMPLES = 500
"""Commonest words that examples are drawn from."""
_SAMPLED = 8
"""Words whose neighbours a sample shows where nobody says which."""


class Neighbours(Predictor[WordsInfo, NeighboursConfig]):
    """Answers from the checkpoint's vectors alone."""

    usage = (
        "a word, an analogy ('king - man + woman'), or a file: word1 word2 score a line, or analogies under ': section'"
    )
    label = "word or analogy"
    placeholder = "king - man + woman"
    seldom = frozenset({"words", "map", "mapped"})
    exports = exports.FORMATS

    def __init__(self, model: nn.Module, info: WordsInfo, config: NeighboursConfig) -> None:
        super().__init__(model, info, config)
        self._space: Space | None = None

    def accept(self, value: object) -> str:
        """A word or an analogy; DataError names a word that has no vector."""
        text = text_of(value, "a word or an analogy")
        placed(self.space(), parse_question(text))
        return text

    def schema(self) -> Schema:
        answer = fields(
            {"question": TEXT, "words": several(TEXT), "scores": {**several(NUMBER), "description": "cosines"}}
        )
        first = next(iter(self.example(None, np.random.default_rng(0), Path())), "")
        return Schema(question={**TEXT, "description": "a word, or an analogy"}, answer=answer, example=first)

    def read(self, arguments: Sequence[str]) -> list[str | Path]:
        """Questions and files; DataError names a word that has no vector, or a file's line that is wrong."""
        return [self._file(text) if _is_file(text) or Path(text).suffix in _FILES else self.accept(text)
                for text in arguments]  # fmt: skip

    def _file(self, text: str) -> Path:
        if not _is_file(text):
            raise DataError(f"{text}: no such file")
        _benchmark(Path(text))
        return Path(text)

    def predict(self, inputs: Sequence[str | Path]) -> list[Answer]:
        """Of a question ``question``, ``words`` and their ``scores`` (cosines). Of a file of similarities ``file``,
        ``spearman``, ``covered``, ``pairs`` and ``score``, what its heading calls the scores, if it has one; of
        analogies ``file``, ``accuracy``, ``covered``, ``analogies`` and ``sections`` with the same of each. Shares are
        of what is covered: all its words known."""
        return [
            self._measured(value) if isinstance(value, Path) else near(self.space(), value, self.config.top)
            for value in inputs
        ]

    def show(self, inputs: Sequence[str | Path], answers: Sequence[Answer]) -> Sequence[Sample]:
        """A table for each question and each file of analogies, one for all files of similarities."""
        shown: list[Sample] = []
        correlations = [answer for answer in answers if "pairs" in answer]
        for number, answer in enumerate(answers, 1):
            if "words" in answer:
                rows = list(map(list, zip(answer["words"], answer["scores"], strict=True)))
                name, title = f"neighbours-{number}", answer["question"]
                shown.append(Table(name=name, title=title, headers=["word", "cosine"], rows=rows))
            elif "sections" in answer:
                shown.append(_sections(f"analogies-{number}", answer))
        return [*shown, *([_correlations(correlations)] if correlations else [])]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Neighbours of the same words each time, and the words on a map."""
        self._space = None  # the model goes on changing
        space, config = self.space(), self.config
        chosen = list(config.words) or [space.words[i] for i in content_words(self.info, _SAMPLED)]
        rows = [[word, ", ".join(w for w, _ in self._found(parse_question(word), 5))] for word in chosen]
        shown: list[Sample] = [
            Table(name="neighbours", title="Nearest words", headers=["word", "its neighbours"], rows=rows)
        ]
        if config.map != "none":
            places = [space.place(word) for word in config.words]
            shown.append(word_map(space, [*places, *content_words(self.info, config.mapped)], config.map))
        self._space = None  # a question after this step asks the model as it is then
        return shown

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """Frequent words with a meaning, drawn anew."""
        known = content_words(self.info, _EXAMPLES)
        return [self.info.words[known[i]] for i in rng.permutation(len(known))[:3]]

    def portable(self) -> Portable:
        """The model whole, for its metric; answers need its vectors alone."""
        assert self.task is not None
        words, vectors = stored_vectors(self.model, self.info)
        known = {"words": words, "vectors": vectors, "lower": self.info.lower, "rules": self.info.rules}
        graph = whole_model(self.task, self.model, self.info)
        return Portable((graph,), {**known, "top": self.config.top})

    def export(self, form: str, folder: Path) -> list[Path]:
        if form == "similar":
            return exports.similar(self.space(), self.config.top, folder)
        return exports.write(form, *stored_vectors(self.model, self.info), folder)

    def space(self) -> Space:
        """The vectors of the words, as they are now."""
        if self._space is None:
            words, vectors = stored_vectors(self.model, self.info)
            self._space = Space(words, vectors, lower=self.info.lower, rules=self.info.rules)
        return self._space

    def _found(self, asked: Question, top: int) -> list[tuple[str, float]]:
        return self.space().nearest(*placed(self.space(), asked), top)

    def _near(self, text: str) -> Answer:
        return near(self.space(), text, self.config.top)

    def _measured(self, path: Path) -> Answer:
        text, analogies = _benchmark(path)
        if not analogies:
            found = read_pairs(path, text)
            rho, covered = self.space().spearman(found.pairs)
            answer = {"file": str(path), "spearman": rho, "covered": covered, "pairs": len(found.pairs)}
            return {**answer, "score": found.score} if found.score else answer
        asked = read_analogies(path, text)
        solved = self.space().solved(asked)
        sections = [
            {"section": name, **_share([s for a, s in zip(asked, solved, strict=True) if a.section == name])}
            for name in dict.fromkeys(a.section for a in asked)
        ]
        return {"file": str(path), **_share(solved), "sections": sections}


def _is_file(text: str) -> bool:
    return len(text) < 4096 and Path(text).is_file()  # a longer path is an error of the system's


def _benchmark(path: Path) -> tuple[str, bool]:
    """A file's text, and whether it is of analogies; DataError if it is of neither kind."""
    text = read_text(path)
    analogies = are_analogies(text)
    (read_analogies if analogies else read_pairs)(path, text)
    return text, analogies


def _share(solved: Sequence[bool | None]) -> dict[str, float | int | None]:
    known = [right for right in solved if right is not None]
    accuracy = sum(known) / len(known) if known else None
    return {"accuracy": accuracy, "covered": len(known), "analogies": len(solved)}


def _sections(name: str, answer: Answer) -> Table:
    lines: list[Mapping[str, Any]] = [*answer["sections"], {**answer, "section": "in all"}]
    rows = [[s["section"] or "–", _percent(s["accuracy"]), s["covered"], s["analogies"]] for s in lines]
    headers = ["section", "right", "covered", "analogies"]
    return Table(name=name, title=f"Analogies: {Path(answer['file']).name}", headers=headers, rows=rows)


def _correlations(answers: Sequence[Answer]) -> Table:
    rows = [
        [Path(a["file"]).name, "–" if a["spearman"] is None else round(a["spearman"], 3), a["covered"], a["pairs"]]
        for a in answers
    ]
    headers = ["file", "Spearman's ρ", "covered", "pairs"]
    return Table(name="similarity", title="Word similarity", headers=headers, rows=rows)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
