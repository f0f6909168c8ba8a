"""Many questions: taken one after another, answered some at a time, in their order.

What cannot be answered is an answer too: ``{"error": …}``, with the file or line it is about. Nothing is kept of a
question when it has been answered: ten thousand take the memory of one batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from dlkit.bounded import DEPTH, LINE, parse_json
from dlkit.data.names import shown_path
from dlkit.errors import DataError, UsageError

BATCH = 64
"""Questions that are answered together, where nobody says how many."""
_GLOBS = ("image", "row")
"""What questions are, where a word with a star is a pattern of files' names; of sentences it is a word."""


class Asked(Protocol):
    """A run's predictor, or an exported folder."""

    def accept(self, value: object) -> object: ...

    def predict(self, inputs: Sequence[object]) -> Sequence[Mapping[str, object]]: ...


@dataclass(frozen=True)
class Question:
    """``value``: an input as ``read`` or ``accept`` gave it; ``about``: what tells it from others in its answer (its
    line, say); ``error``: why there is no input."""

    value: object
    about: Mapping[str, object]
    error: DataError | UsageError | None = None


@dataclass(frozen=True)
class Answered:
    """``error``: why there is none, which ``answer`` tells in words."""

    question: Question
    answer: Mapping[str, object]
    error: DataError | UsageError | None = None


def of_inputs(values: Iterable[object]) -> Iterator[Question]:
    """Inputs that were read; a file is named in its error."""
    for value in values:
        yield Question(value, {"file": shown_path(value)} if isinstance(value, Path) else {})


def of_json_lines(asked: Asked, lines: Iterable[bytes], source: str) -> Iterator[Question]:
    """A JSON value a line, as ``accept`` takes it: never a path. Empty lines are passed over."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        about: dict[str, object] = {"line": number}
        try:
            yield Question(asked.accept(_parsed(line)), about)
        except (DataError, UsageError) as error:
            yield Question(None, about, DataError(f"{source}, line {number}: {error}"))


def _parsed(line: bytes) -> object:
    if len(line) > LINE:
        raise DataError(f"{len(line):,} bytes, more than the {LINE:,} of a line")
    try:
        return parse_json(line.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        raise DataError(f"not JSON, or of more than {DEPTH} levels: {error}") from error


def answered(asked: Asked, questions: Iterable[Question], batch: int = BATCH) -> Iterator[Answered]:
    """Each question's answer, in order, ``batch`` of them asked together."""
    waiting = iter(questions)
    while chunk := list(islice(waiting, batch)):
        yield from _chunk(asked, chunk)


def _chunk(asked: Asked, chunk: Sequence[Question]) -> Iterator[Answered]:
    sound = [question for question in chunk if question.error is None]
    try:
        found = iter(asked.predict([question.value for question in sound]) if sound else [])
    except (DataError, UsageError):  # one of them: each by itself tells which
        yield from (_alone(asked, question) for question in chunk)
        return
    for question in chunk:
        yield _failed(question, question.error) if question.error else Answered(question, next(found))


def _alone(asked: Asked, question: Question) -> Answered:
    if question.error is not None:
        return _failed(question, question.error)
    try:
        (answer,) = asked.predict([question.value])
    except (DataError, UsageError) as error:
        return _failed(question, error)
    return Answered(question, answer)


def _failed(question: Question, error: DataError | UsageError) -> Answered:
    return Answered(question, {**question.about, "error": str(error)}, error)


def expanded(words: Sequence[str], asks: str) -> list[str]:
    """Words with patterns (``photos/*.jpg``, ``**``) replaced by the files that they mean, sorted; DataError for one
    that means none."""
    found: list[str] = []
    for word in words:
        if asks not in _GLOBS or not set(word) & set("*?[") or word.lstrip()[:1] in "{[" or Path(word).exists():
            found.append(word)
            continue
        files = _matching(Path(word))
        if not files and asks == "image":
            raise DataError(f"{word}: no file is called so")
        found += files or [word]
    return found


def _matching(pattern: Path) -> list[str]:
    try:
        found = Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))
        return sorted(str(path) for path in found if not path.name.startswith("."))
    except ValueError as error:
        raise DataError(f"{pattern}: not a pattern of files' names: {error}") from error
