"""An answer is the question's own."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.randomness import forked
from dlkit.engine.build import Job
from dlkit.testing.answers import differing, questions
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    inputs = questions(job, subject.folder("questions"))
    together = _asked(job, inputs, "together")
    for number, value in enumerate(inputs):
        (alone,) = _asked(job, [value], "alone")
        if told := differing(together[number], alone):
            seen = f"question {number} of {len(inputs)}, together with the others and alone: {told}"
            yield Finding(seen, "the same answer", f"question {number}")
            return
    turned = _asked(job, inputs[::-1], "turned")
    if told := differing(together, turned[::-1]):
        yield Finding(f"asked in the other order: {told}", "an answer to each, in the order of the questions")


def _asked(job: Job, inputs: list[object], purpose: str) -> list[object]:
    with forked(SEED, purpose), job.trainer.evaluating():
        return list(job.predictor.predict(inputs))


RULE = Rule(
    name="predictor-each-alone",
    tier="silver",
    kinds=("inference",),
    title="A question is answered the same alone and together with others, in any order",
    why="dlkit serve puts questions of several people into one batch; who else asks must not matter.",
    mend="Pad with a mask that the model honours; scale by info, not by the batch; draw by what the question "
    "holds, not from a generator that the others draw from too.",
    buggy="rows = (rows - rows.mean(0)) / rows.std(0)",
    corrected="rows = (rows - self.info.mean) / self.info.std",
    check=check,
)
