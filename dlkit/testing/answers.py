"""Questions for a predictor, and what becomes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from dlkit.data.randomness import forked, rng
from dlkit.data.splits import OnHost
from dlkit.engine.build import Job
from dlkit.errors import DlkitError, UsageError
from dlkit.predictor import Predictor
from dlkit.testing.finding import Skipped
from dlkit.testing.trying import SEED

ROUNDING = 1e-3
"""Of a number in an answer: another batch is summed in another order."""


def some_questions(job: Job, folder: Path, most: int = 4) -> list[str]:
    """Words that the predictor itself gives as examples."""
    with forked(SEED, "questions"), job.trainer.evaluating():
        return list(job.predictor.example(OnHost(job.data.val), rng(SEED, "questions"), folder))[:most]


def takes_questions(job: Job) -> None:
    """Skipped, if the predictor takes none: it has no ``accept``, or there is nothing in this task to ask for."""
    example = job.predictor.schema()["example"]
    try:
        job.predictor.accept(example)
    except UsageError as error:
        if not example or type(job.predictor).accept is Predictor.accept:
            raise Skipped(f"it takes no questions from afar: {error}") from error
    # Whatever else becomes of the question is the rules' affair.
    except Exception:
        return


def questions(job: Job, folder: Path) -> list[object]:
    """Some inputs: the predictor's examples, and its schema's."""
    inputs: list[object] = []
    for word in some_questions(job, folder):
        inputs += job.predictor.read([word])
    with suppress(DlkitError):  # another rule's affair
        inputs.append(job.predictor.accept(job.predictor.schema()["example"]))
    if not inputs:
        raise Skipped("it has no example to ask")
    return inputs if len(inputs) > 1 else inputs * 2


def differing(one: object, other: object, where: str = "answer", allowed: float = ROUNDING) -> str:
    """Where two answers differ first, as ``answer.score is 0.1 and 0.2``; empty: nowhere."""
    if isinstance(one, np.generic):
        one = one.item()
    if isinstance(other, np.generic):
        other = other.item()
    if isinstance(one, Mapping) and isinstance(other, Mapping) and one.keys() == other.keys():
        told = (differing(one[key], other[key], f"{where}.{key}", allowed) for key in one)
        return next((text for text in told if text), "")
    if _several(one) and _several(other) and len(one) == len(other):  # type: ignore[arg-type]  # both have a length
        pairs = enumerate(zip(one, other, strict=True))  # type: ignore[call-overload]
        return next((text for n, (a, b) in pairs if (text := differing(a, b, f"{where}[{n}]", allowed))), "")
    if _number(one) and _number(other):
        a, b = float(one), float(other)  # type: ignore[arg-type]  # numbers
        alike = a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= allowed * max(1.0, abs(a), abs(b))
        return "" if alike else f"{where} is {a:.6g} and {b:.6g}"
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        same = np.array_equal(one, other)
    else:
        same = type(one) is type(other) and one == other
    return "" if same else f"{where} is {one!r:.80} and {other!r:.80}"


def _several(value: object) -> bool:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, (str, bytes))


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
