"""In evaluation, a model is a function."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.randomness import forked
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import copied, listed, outputs_of, rows, unlike, weights

COUNT = 4


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    batch = rows(job.data.val, COUNT)
    given, before = copied(batch), weights(job.trainer.model)
    with forked(1, "one"):
        first = copied(outputs_of(job, batch, "one"))
    if found := unlike(given, batch):
        yield Finding(f"it changes its input in place: {listed(found)}", "inputs left as they are", "forward")
        batch = rows(job.data.val, COUNT)
    second = outputs_of(job, batch, "another")
    if found := unlike(first, second):
        seen = f"twice the same batch, in evaluation mode: outputs differ: {listed(found)}"
        yield Finding(seen, "the same outputs, bit for bit", "forward")
    if found := unlike(before, weights(job.trainer.model)):
        yield Finding(
            f"evaluation changes its state: {listed(found)}", "weights and statistics left as they are", "forward"
        )


RULE = Rule(
    name="model-evaluation-draws-nothing",
    tier="silver",
    kinds=("model",),
    title="In evaluation mode a model draws nothing and keeps nothing",
    why="Evaluating more often must change no weight, and two evaluations of one checkpoint must agree.",
    mend="Use nn.Dropout, or F.dropout with training=self.training; update statistics only while self.training. What "
    "evaluation must draw, draw by the samples' content (dlkit.data.randomness.content_seeds).",
    buggy="x = F.dropout(x, 0.2)  # training=True is its default",
    corrected="x = F.dropout(x, 0.2, self.training)",
    check=check,
)
