"""A predictor remembers nothing of what it was asked."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.randomness import forked
from dlkit.engine.build import Job
from dlkit.testing.answers import differing, questions
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, copied, listed, unlike, weights


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    inputs = questions(job, subject.folder("questions"))
    before = copied(weights(job.trainer.model))
    first = _asked(job, inputs[:1])
    _asked(job, inputs[1:])
    if told := differing(first, _asked(job, inputs[:1]), allowed=0.0):
        yield Finding(f"asked again, after other questions: {told}", "the same answer", "predict")
    if found := unlike(before, weights(job.trainer.model)):
        yield Finding(
            f"answering changes the model: {listed(found)}", "weights and statistics left as they are", "predict"
        )


def _asked(job: Job, inputs: list[object]) -> list[object]:
    with forked(SEED, "ask"), job.trainer.evaluating():
        return list(job.predictor.predict(inputs))


RULE = Rule(
    name="predictor-same-twice",
    tier="silver",
    kinds=("inference",),
    title="The same question has the same answer, whatever was asked before, and changes no weight",
    why="A predictor is made once and asked by many; what it keeps of one shows in the answer of another.",
    mend="Keep nothing in self but what __init__ was given; make caches functions of the question alone.",
    buggy="self.history += tokens\nreturn self.forward(self.history)",
    corrected="return self.forward(tokens)",
    check=check,
)
