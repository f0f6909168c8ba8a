"""What is no question is refused, and not tripped over."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence

from dlkit.data.randomness import forked
from dlkit.engine.build import Job
from dlkit.errors import DataError, UsageError
from dlkit.question_schema import Schema
from dlkit.testing.answers import takes_questions
from dlkit.testing.finding import Finding
from dlkit.testing.fits_schema import misfit
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED

SECONDS = {True: 2.0, False: 8.0}
ODD: Sequence[object] = (
    None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**400, "", " ", "a", "\ud800", "\x00", "nan,nan,nan", "1,2,3",
    "x" * 5000, "data:image/png;base64,AAAA", b"", b"\xff\xfe\x00", b"\x89PNG\r\n\x1a\n", [], [[]], [None], ["a"],
    [float("nan")], [1e400], [[1, 2], [3]], [[[0, 0, 0]]], {}, {"": None}, {"x": {"y": []}}, {"a": float("nan")},
)  # fmt: skip


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    schema = job.predictor.schema()
    takes_questions(job)
    example = json.loads(json.dumps(schema["example"]))
    told, until = 0, time.monotonic() + SECONDS[subject.quick]
    for value in (*_nearly(example), *ODD):
        if time.monotonic() > until:
            return
        if (seen := _tripped(job, value, schema)) and told < 3:
            told += 1
            yield Finding(seen, "an answer, or a DataError that says what is wrong", f"question {value!r:.60}")


def _nearly(example: object) -> Iterator[object]:
    """A question, a little wrong."""
    if isinstance(example, list):
        yield from (example[:-1], [*example, *example[:1]], [[item] for item in example], ["a" for _ in example])
        yield [None, *example[1:]]
    if isinstance(example, dict):
        yield dict(list(example.items())[1:])
        wrong: tuple[object, ...] = (None, [], "\x00", float("nan"))
        yield from ({**example, name: value} for name in list(example)[:4] for value in wrong)
    if isinstance(example, str) and example:
        yield from (example[:-1], example + "\x00", example * 8, [example], {"text": example})


def _tripped(job: Job, value: object, schema: Schema) -> str:
    """What went wrong, beyond a refusal."""
    try:
        accepted = job.predictor.accept(value)
    except (DataError, UsageError):
        return ""
    # That is what is looked for.
    except Exception as error:
        return f"accept() raises {type(error).__name__}: {error}"
    try:
        with forked(SEED, "ask"), job.trainer.evaluating():
            (answer,) = job.predictor.predict([accepted])
        misfitting = misfit(json.loads(json.dumps(answer)), schema["answer"], "answer")
    except (DataError, UsageError) as error:
        return f"accept() takes it and predict() refuses it, with all who ask beside it: {error}"
    except Exception as error:
        return f"accept() takes it, and predict() raises {type(error).__name__}: {error}"
    return f"it is taken, and the answer is not as schema() says: {misfitting}" if misfitting else ""


RULE = Rule(
    name="predictor-refuses-in-words",
    tier="silver",
    kinds=("inference",),
    title="What is no question is refused by accept as a DataError, before it meets the others",
    why="Questions of several people are answered together: one that fails in predict takes the others with it, and an "
    "error that is not dlkit's is told as a fault of the plugin.",
    mend="Check in accept whatever predict relies on: type, length, range, finite numbers; raise DataError with the "
    "value, what is allowed, and dlkit.question_schema.told for its kind.",
    buggy="def accept(self, value):\n    return [float(cell) for cell in value]",
    corrected="def accept(self, value):\n    if not isinstance(value, list) or len(value) != 3:\n        raise "
    "DataError(f'a row is a list of 3 numbers, not {told(value)}')",
    check=check,
)
