"""Answers are those of evaluation, whatever mode the model is in."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.randomness import forked
from dlkit.testing.answers import differing, questions
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, again, listed, unlike, weights


def check(subject: Subject) -> Iterator[Finding]:
    job = again(subject)  # its mode is changed
    model, predictor = job.trainer.model, job.predictor
    inputs = questions(job, subject.folder("questions"))
    answers: list[list[object]] = []
    for training in (False, True):
        model.train(training)
        before = weights(model)
        with forked(SEED, "ask"):
            answers.append(list(predictor.predict(inputs)))
        if found := unlike(before, weights(model)):
            yield Finding(f"asked in training mode, the model learns: {listed(found)}", "weights and statistics kept")
    if told := differing(answers[0], answers[1]):
        yield Finding(f"of a model in training mode: {told}", "the answer that it gives in evaluation mode", "predict")


RULE = Rule(
    name="predictor-in-evaluation-mode",
    tier="silver",
    kinds=("inference",),
    title="A predictor puts its model into evaluation mode before it asks it",
    why="Dropout and the statistics of a batch make an answer a matter of chance.",
    mend="Ask through Predictor.forward, which does so; or say self.model.eval() and torch.no_grad() yourself.",
    buggy="outputs = self.model(rows)",
    corrected="outputs = self.forward(rows)",
    check=check,
)
