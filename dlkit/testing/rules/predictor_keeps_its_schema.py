"""What a predictor says of questions and answers is so."""

from __future__ import annotations

import json
from collections.abc import Iterator

from dlkit.data.randomness import forked
from dlkit.engine.build import Job
from dlkit.errors import DlkitError
from dlkit.question_schema import Schema
from dlkit.testing.answers import some_questions, takes_questions
from dlkit.testing.finding import Finding
from dlkit.testing.fits_schema import misfit
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    takes_questions(job)
    try:
        schema: Schema = json.loads(json.dumps(job.predictor.schema(), allow_nan=False))
    except (TypeError, ValueError) as error:
        yield Finding(f"schema() is not JSON: {error}", "JSON values", "schema")
        return
    example = schema["example"]
    if told := misfit(example, schema["question"], "example"):
        yield Finding(f"its own example does not fit: {told}", "an example that is a question", "schema.example")
        return
    yield from _answered(job, example, schema)
    for word in some_questions(job, subject.folder("questions")):
        try:
            inputs = job.predictor.read([word])
        except DlkitError as error:
            yield Finding(
                f"example() gives {word!r:.80}, which read() refuses: {error}", "words that it reads", "example"
            )
            continue
        yield from _fits(job, inputs, schema, f"example {word!r:.60}")


def _answered(job: Job, example: object, schema: Schema) -> Iterator[Finding]:
    try:
        accepted = job.predictor.accept(example)
    except DlkitError as error:
        yield Finding(f"accept() refuses the schema's own example: {error}", "an answer", "schema.example")
        return
    yield from _fits(job, [accepted], schema, "schema.example")


def _fits(job: Job, inputs: list[object], schema: Schema, where: str) -> Iterator[Finding]:
    with forked(SEED, "ask"), job.trainer.evaluating():
        answers = job.predictor.predict(inputs)
    if len(answers) != len(inputs):
        yield Finding(f"{len(answers)} answers to {len(inputs)} questions", "one each", where)
    for answer in answers:
        try:
            plain = json.loads(json.dumps(answer))
        except (TypeError, ValueError) as error:
            yield Finding(f"an answer is not JSON: {error}", "numbers, texts, lists and dicts by name", where)
            return
        if told := misfit(plain, schema["answer"], "answer"):
            yield Finding(f"an answer is not as schema() says: {told}", "an answer of that form", where)
            return


RULE = Rule(
    name="predictor-keeps-its-schema",
    tier="silver",
    kinds=("inference",),
    title="A predictor takes its schema's example and its own, and answers as the schema says, in JSON",
    why="Forms, pages and other people's programs are made of the schema.",
    mend="Describe in schema() what accept takes and predict returns, with dlkit.question_schema; return plain numbers "
    "(float(x), x.tolist()), not tensors.",
    buggy="return [{'score': outputs[0]}]  # a tensor",
    corrected="return [{'score': value} for value in outputs.tolist()]",
    check=check,
)
