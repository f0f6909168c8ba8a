"""What a stranger names is not opened."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.randomness import forked
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED
from dlkit.testing.watched import watched


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    secret = subject.folder("secret") / "secret.txt"
    secret.write_text("1,2,3\n")
    for value in (str(secret), [str(secret)], {"path": str(secret)}, f"file://{secret}"):
        with watched(("open",)) as opened:
            try:
                accepted = job.predictor.accept(value)
                with forked(SEED, "ask"), job.trainer.evaluating():
                    job.predictor.predict([accepted])
            # Whether and how it refuses is another rule's affair.
            except Exception:
                pass
        if any(str(what[0]).endswith(secret.name) for _, what in opened):
            yield Finding(
                "asked for a file's name, accept() opens the file", "a text, or a refusal", f"question {value!r}"
            )
            return


RULE = Rule(
    name="predictor-opens-nothing",
    tier="silver",
    kinds=("inference",),
    title="accept opens no file that a question names",
    why="dlkit serve hands it what strangers send: a path would give them any file of the machine.",
    mend="Open files in read, which has the words of whoever sits at the machine; accept takes values, and bytes "
    "of what was uploaded.",
    buggy="def accept(self, value):\n    return Image.open(value)",
    corrected="def accept(self, value):\n    return image_of(value)  # base64, bytes or rows of pixels",
    check=check,
)
