"""Every pass has metrics of its own, which change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.randomness import forked
from dlkit.testing.finding import Finding
from dlkit.testing.measuring import in_parts, measured, metrics_apart, validation
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, copied, listed, outputs_of, unlike, weights


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    batch = validation(job)
    outputs = outputs_of(job, batch)
    given, columns, before = copied(outputs), copied(batch), weights(job.trainer.model)
    with forked(SEED, "measure"), job.trainer.evaluating():
        job.task.metrics(job.info).update(outputs, batch)
    if found := {**unlike(given, outputs), **unlike(columns, batch)}:
        yield Finding(
            f"update changes what it is given, in place: {listed(found)}", "outputs and batch left as they are"
        )
        return
    first = measured(job, [batch])
    other = in_parts(batch, max(1, len(next(iter(batch.values()))) // 2))[:1]
    measured(job, other)
    if told := metrics_apart(first, measured(job, [batch])):
        seen = f"measured again, after another pass: {told}"
        yield Finding(seen, "the same: metrics(info) gives fresh ones")
    if found := unlike(before, weights(job.trainer.model)):
        yield Finding(f"measuring changes the model: {listed(found)}", "weights and statistics left as they are")


RULE = Rule(
    name="metrics-begin-anew",
    tier="silver",
    kinds=("task",),
    title="Task.metrics gives fresh metrics, which change neither outputs, batch nor model",
    why="What is left of an earlier pass makes every evaluation a mean of all so far.",
    mend="Make the sums in __init__, not at class level; use out-of-place operations in update.",
    buggy="class Accuracy:\n    seen: list[Tensor] = []  # everybody's",
    corrected="class Accuracy:\n    def __init__(self):\n        self.seen: list[Tensor] = []",
    check=check,
)
