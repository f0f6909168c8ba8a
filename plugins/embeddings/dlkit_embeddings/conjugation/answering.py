"""Filled gaps: what ``Conjugator`` and an exported model have in common, and the latter; NumPy and regex alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlkit.answering import Answered, Answering, Given, RunGraph, Values, softmax
from dlkit.data.text.corpus import read_text
from dlkit.data.text.segments import Rules
from dlkit.data.text.vocabulary import Ids
from dlkit.errors import DataError, UsageError
from dlkit.question_schema import text_of
from dlkit_embeddings.conjugation.forms import Reading
from dlkit_embeddings.conjugation.gaps import GAP, question_context, unknown_words
from dlkit_embeddings.conjugation.numbered_text import HOLE

GAPS = re.compile(r"(?<!\w)_+(?!\w)|\[gap\]", re.IGNORECASE)


def split_at_gap(sentence: str) -> tuple[str, str]:
    """What stands before and after the one gap of a sentence: ``___`` (any number of ``_``) or ``[gap]``.

    UsageError: there is none, or there are several.
    """
    sides = GAPS.split(sentence)
    if len(sides) != 2:
        number = "no gap" if len(sides) == 1 else f"{len(sides) - 1} gaps"
        raise UsageError(f"{number} in {sentence!r}: write {GAP} (or [gap]) once, where the form of be or have belongs")
    return sides[0], sides[1]


def accepted(value: object) -> str:
    """A sentence with a gap; UsageError for one without, or with several."""
    sentence = text_of(value, "a sentence")
    split_at_gap(sentence)
    return sentence


def read_sentences(words: Sequence[str]) -> list[str]:
    """Sentences; of a word that names a file, its lines. UsageError for a sentence without a gap, or with several;
    DataError names the line of a file."""
    found: list[str] = []
    for word in words:
        found += _lines(Path(word)) if _is_file(word) else [word]
    return [accepted(sentence) for sentence in found]


def seen(before: str, after: str, info: Reading) -> Ids:
    """What the model sees of a sentence; a ``HOLE`` that it has itself is not the gap."""
    return question_context(f"{before.replace(HOLE, ' ')} {HOLE} {after.replace(HOLE, ' ')}", info)


def filled(before: str, after: str, probabilities: dict[str, float], info: Reading) -> dict[str, object]:
    """The answer to a sentence, of each form's probability."""
    form = max(probabilities, key=lambda name: probabilities[name])
    written = form.capitalize() if not before.strip() else form
    answer: dict[str, object] = {
        "sentence": f"{before}{GAP}{after}",
        "form": form,
        "probability": probabilities[form],
        "filled": f"{before}{written}{after}",
        "probabilities": probabilities,
    }
    unknown = unknown_words(f"{before} {after}".replace(HOLE, " "), info)
    return {**answer, "unknown": unknown} if unknown else answer


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # a sentence longer than a file's name may be
        return False


def _lines(path: Path) -> list[str]:
    found = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            split_at_gap(line)
        except UsageError as error:
            raise DataError(f"{path}: line {number}: {error}") from error
        found.append(line.strip())
    return found


@dataclass(frozen=True)
class _Known:
    """``forms.Reading`` as data."""

    words: Sequence[str]
    window: int
    across: bool
    lower: bool
    rules: Rules
    signs: bool


class Filling(Answering):
    """``given``: ``classes``, and the fields of ``forms.Reading``."""

    usage = 'sentences with a gap, "She ___ happy.", or text files with one a line'
    batch = 1000

    def __init__(self, given: Given, run: RunGraph) -> None:
        super().__init__(given, run)
        self._info = _Known(**{name: given[name] for name in _Known.__dataclass_fields__})

    def read(self, words: Sequence[str]) -> list[str]:
        return read_sentences(words)

    def accept(self, value: object) -> str:
        return accepted(value)

    def predict(self, inputs: Sequence[object]) -> list[Answered]:
        """As the conjugator's."""
        answers: list[Answered] = []
        for some in self.batches(inputs):
            sides = [split_at_gap(str(value)) for value in some]
            contexts = np.stack([seen(*pair, self._info) for pair in sides])
            shares = softmax(self.run("model", context=contexts)["outputs"])
            answers += [self._answer(*pair, row) for pair, row in zip(sides, shares, strict=True)]
        return answers

    def _answer(self, before: str, after: str, shares: Values) -> Answered:
        return filled(before, after, dict(zip(self.given["classes"], shares.tolist(), strict=True)), self._info)
