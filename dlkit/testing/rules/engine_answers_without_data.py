"""A checkpoint answers by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlkit.data.randomness import forked
from dlkit.predictor import AnyPredictor
from dlkit.testing.answers import differing, some_questions
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.fresh_code import imported_anew
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, attempt, run_to_end
from dlkit.testing.watched import watched
from dlkit.use.load import load_predictor


def check(subject: Subject) -> Iterator[Finding]:
    learns = any(parameter.requires_grad for parameter in subject.experiment().trainer.parameters)
    going = attempt(subject, {"engine": {"steps": int(learns), "epochs": None, "eval_every": "end"}})
    job = run_to_end(going)
    words = some_questions(job, subject.folder("questions"))
    if not words:
        raise Skipped("its predictor has no example to ask")
    with job.trainer.evaluating():
        right = _asked(job.predictor, words)
    data = str(subject.scratch / "data")
    with imported_anew(job.resolved.specs.values()), watched(("open",)) as opened:
        loaded = load_predictor(subject.catalog, going.run, "last")
        found = _asked(loaded.predictor, words)
    read = [str(what[0]) for _, what in opened if str(what[0]).startswith(data)]
    if read:
        yield Finding(f"to answer, it opens {read[0]}", "weights and info of the checkpoint alone", "data")
    if far := differing(right, found):
        yield Finding(f"the run's model and its checkpoint answer otherwise: {far}", "the same answers")


def _asked(predictor: AnyPredictor, words: Sequence[str]) -> list[object]:
    with forked(SEED, "ask"):
        return list(predictor.predict(predictor.read(words)))


RULE = Rule(
    name="engine-answers-without-data",
    tier="silver",
    kinds=("task", "model", "inference"),
    title="A new process answers from a checkpoint alone, as the run did",
    why="A model is carried to where its data are not: info holds the encoding as data, and modules hold nothing.",
    mend="Put classes, scales and vocabulary into info and build the model and the predictor from it; keep nothing in "
    "module globals that the data set's build fills.",
    buggy="CLASSES = []  # filled by build_data, read by the predictor",
    corrected="self.info.classes",
    check=check,
)
